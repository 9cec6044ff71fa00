/** The code of the page: it makes live views of the drawings, and shows what lies under the pointer. Without it the drawings stay. */
export const PAGE_SCRIPT = `
'use strict';
(() => {
  const tip = document.createElement('div');
  tip.id = 'tip';
  tip.setAttribute('role', 'status');
  document.body.append(tip);
  const show = (_handler, event, _item, value) => {
    if (value === null || value === undefined || value === '') { tip.style.display = 'none'; return; }
    const rows = typeof value === 'object' ? Object.entries(value) : [['', value]];
    tip.replaceChildren(...rows.map(([name, text]) => {
      const row = document.createElement('div');
      const label = document.createElement('b');
      label.textContent = name;
      row.append(label, String(text));
      return row;
    }));
    tip.style.display = 'block';
    const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const y = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8);
    tip.style.left = Math.max(4, x) + 'px';
    tip.style.top = Math.max(4, y) + 'px';
  };
  const refuse = () => Promise.reject(new Error('nothing is loaded'));
  const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };
  for (const drawing of document.querySelectorAll('.drawing')) {
    const still = [...drawing.childNodes];
    const spec = JSON.parse(document.getElementById(drawing.id + '-spec').textContent);
    try {
      drawing.replaceChildren();
      new vega.View(vega.parse(spec), { renderer: 'svg', container: drawing, hover: true, tooltip: show, loader })
        .runAsync().catch(() => drawing.replaceChildren(...still));
    } catch { drawing.replaceChildren(...still); }
  }
})();
`;
