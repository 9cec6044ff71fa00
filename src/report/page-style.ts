/** The report's style sheet: system fonts, one column, light and dark, and a version for print. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1c1c; --soft: #5a5a5a; --grid: #e4e4e4; --tint: #f6f6f4; --link: #00588c; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181a; --ink: #e6e6e3; --soft: #a3a6a8; --grid: #34383b; --tint: #1f2224; --link: #7cc0ee; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 58rem; padding: 2.5rem 1.25rem 5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 3.2rem 0 .8rem; padding-top: .5rem; border-top: 1px solid var(--grid); }
h3 { font-size: 1.02rem; margin: 2rem 0 .4rem; }
p, li { max-width: 46rem; overflow-wrap: anywhere; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
.lead { font-size: 1.06rem; }
.quiet, figcaption, .note { color: var(--soft); font-size: .9rem; }
nav ul { list-style: none; margin: 1.2rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .92rem; }
.findings { margin: 1.5rem 0; padding: .9rem 1.2rem; background: var(--tint); border-left: 3px solid var(--link); }
.findings p { margin: .35rem 0; }
.findings p:first-child { color: var(--soft); font-size: .9rem; }
figure { margin: 2rem 0 2.4rem; break-inside: avoid; }
.drawing { overflow-x: auto; color: var(--ink); }
.drawing svg { display: block; max-width: 100%; height: auto; }
figcaption { max-width: 46rem; margin-top: .5rem; overflow-wrap: anywhere; }
figcaption strong { color: var(--ink); }
.scroll { overflow-x: auto; margin: .4rem 0 .3rem; }
table { border-collapse: collapse; font-size: .84rem; line-height: 1.35; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .7rem .32rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); }
thead th { font-weight: 600; vertical-align: bottom; border-bottom: 1.5px solid var(--soft); }
thead { border-top: 1.5px solid var(--soft); }
tbody th { font-weight: 500; white-space: nowrap; }
td.number, th.number { text-align: right; }
td.number { white-space: nowrap; }
th.number { min-width: 4.5rem; }
.interval { display: block; color: var(--soft); font-size: .9em; }
td.words { min-width: 7rem; max-width: 24rem; overflow-wrap: anywhere; }
code, pre { font: .82rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; }
section.step { margin: 1rem 0; padding: .1rem 0 .3rem .9rem; border-left: 2px solid var(--grid); break-inside: avoid; }
section.step:target { border-left-color: var(--link); background: var(--tint); }
section.step h3 { margin: .2rem 0; }
section.step dl { margin: .2rem 0; display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; font-size: .86rem; }
section.step dt { color: var(--soft); }
section.step dd { margin: 0; overflow-wrap: anywhere; }
#tip { position: fixed; z-index: 9; display: none; pointer-events: none; padding: .4rem .6rem; max-width: 24rem; background: var(--paper);
  color: var(--ink); border: 1px solid var(--soft); border-radius: 3px; font-size: .82rem; line-height: 1.4; box-shadow: 0 2px 8px #0003; }
#tip b { font-weight: 400; color: var(--soft); margin-right: .5rem; }
footer { margin-top: 4rem; border-top: 1px solid var(--grid); padding-top: .8rem; }
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --grid: #ccc; --tint: #fff; --link: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, #tip { display: none !important; }
  .scroll, .drawing { overflow: visible; }
  table { font-size: 7pt; }
  td.number, th.number, tbody th { white-space: normal; }
  tr { break-inside: avoid; }
}
`;
