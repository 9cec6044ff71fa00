/** The shell of the dashboard's pages, and the few lines of code that keep them fresh. */
import { createHash } from 'node:crypto';
import { Html, html, PAGE_STYLE } from '../report/index.ts';

const STYLE = `${PAGE_STYLE}
progress { width: 100%; max-width: 46rem; height: .7rem; accent-color: var(--link); }
.state { padding: .1rem .5rem; margin-right: .5rem; border: 1px solid var(--soft); border-radius: 3px; font-size: .9rem; }
.state.running { border-color: var(--link); color: var(--link); }
.state.failed, td.failed { color: #c0392b; }
.step { margin: .8rem 0; }
details summary { cursor: pointer; margin: .6rem 0; }
#connection { color: var(--soft); font-size: .85rem; }
`;

/** Puts what the server sends in place of what was there; what the reader opened or closed stays so. */
const SCRIPT = `
const main = document.querySelector('main');
const connection = document.getElementById('connection');
const source = new EventSource(main.dataset.events);
source.addEventListener('view', event => {
  const open = new Map([...main.querySelectorAll('details')].map(one => [one.id, one.open]));
  main.innerHTML = JSON.parse(event.data);
  for (const one of main.querySelectorAll('details')) if (open.has(one.id)) one.open = open.get(one.id);
});
source.addEventListener('open', () => { connection.textContent = ''; });
source.addEventListener('error', () => { connection.textContent = 'The connection is lost; what stands here is old.'; });
`;

const SCRIPT_HASH = createHash('sha256').update(SCRIPT, 'utf8').digest('base64');

/** Only the page's own code may run, and it may only talk to the server it came from. */
export const POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${SCRIPT_HASH}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** A whole page around `body`, which the events at `events` replace. Without scripts it is loaded again every few seconds. */
export function shell(title: string, body: Html, events: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<noscript><meta http-equiv="refresh" content="5"></noscript>
<title>${title} - isoflop</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<nav aria-label="Site"><ul><li><a href="/">Studies</a></li></ul></nav>
<p id="connection" role="status"></p>
<main data-events="${events}">${body}</main>
<script>${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
}
