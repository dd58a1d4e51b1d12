/** The style of the page: light, dark and on paper, from a phone's width up. Part of the page, so that nothing is loaded. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1b2127; --soft: #5a6571; --line: #dde2e7; --paper: #ffffff; --panel: #f5f7f9;
  --accent: #1c5a9e; --note: #7a5200; --note-line: #d9a441; --bad: #a1252b; --good: #1c6a3e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e3e7eb; --soft: #9aa6b2; --line: #2c343c; --paper: #13171b; --panel: #1a2026;
    --accent: #86b7f0; --note: #e4ba66; --note-line: #a97f2c; --bad: #f19090; --good: #7fcba0;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 72rem; padding: 3rem clamp(1rem, 4vw, 3rem) 5rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
h1, h2, h3, p, dl, dd, ul { margin: 0; }
h1 { font-size: 1.75rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.012em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; line-height: 1.3; font-weight: 650; margin-top: 3.5rem; padding-bottom: 0.5rem; }
h3 { font-size: 1rem; line-height: 1.4; font-weight: 600; margin-top: 2.25rem; overflow-wrap: anywhere; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code, .mono { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.8125em; }
.soft { color: var(--soft); }
.small { font-size: 0.875rem; }
.eyebrow { color: var(--soft); font-size: 0.875rem; margin-bottom: 0.25rem; }
.lead { color: var(--soft); margin-top: 0.5rem; overflow-wrap: anywhere; }
nav { margin-top: 1.25rem; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; font-size: 0.9375rem; }
.figures {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(7.25rem, 1fr)); gap: 1.5rem;
  margin-top: 2rem; padding: 1.5rem 0; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line);
}
.figures dt { color: var(--soft); font-size: 0.875rem; }
.figures dd { font-size: 1.5rem; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.figures dd small { display: block; color: var(--soft); font-size: 0.8125rem; font-weight: 400; letter-spacing: 0; }
.notes { list-style: none; padding: 0; }
.notes li { border-left: 3px solid var(--note-line); padding: 0.125rem 0 0.125rem 0.875rem; margin-top: 0.875rem; }
.notes li.bad { border-color: var(--bad); }
.notes .names { color: var(--soft); font-size: 0.875rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem 1.5rem 0.5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 0.8125rem; font-weight: 500; border-bottom-color: var(--soft); white-space: nowrap; overflow-wrap: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.name { min-width: 14rem; }
@media (min-width: 62rem) { .digest code { white-space: nowrap; } }
.contents th, .contents td { padding-top: 0.3125rem; padding-bottom: 0.3125rem; }
.contents .what { width: 7.5rem; }
.contents .digest { width: 34rem; }
.contents .number { width: 6.5rem; }
section > p:first-of-type { margin-bottom: 0.75rem; }
.tight { white-space: nowrap; overflow-wrap: normal; }
.good { color: var(--good); }
.note { color: var(--note); }
.bad { color: var(--bad); }
.facts { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.25rem 1.5rem; font-size: 0.9375rem; margin-top: 0.5rem; }
.facts dt { color: var(--soft); }
.facts dd { overflow-wrap: anywhere; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: 0.875rem; }
@media (max-width: 46rem) {
  body { padding-top: 1.75rem; }
  h1 { font-size: 1.4rem; }
  .figures { grid-template-columns: repeat(2, 1fr); gap: 1.25rem; }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  table, tbody, tr, td { display: block; }
  tr { padding: 0.75rem 0; border-bottom: 1px solid var(--line); }
  td { border: 0; padding: 0.0625rem 0; }
  td[data-label] { display: grid; grid-template-columns: 6.5rem 1fr; gap: 0.75rem; }
  td[data-label]::before { content: attr(data-label); color: var(--soft); font-size: 0.8125rem; }
  td.number { text-align: left; }
  td.name { font-weight: 600; padding-bottom: 0.25rem; }
  .name { min-width: 0; }
  .contents .what, .contents .digest, .contents .number { width: auto; }
  .tight { white-space: normal; overflow-wrap: anywhere; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dt { font-size: 0.8125rem; margin-top: 0.5rem; }
}
@media print {
  :root {
    color-scheme: light;
    --ink: #000000; --soft: #444444; --line: #bbbbbb; --paper: #ffffff; --panel: #ffffff;
    --accent: #000000; --note: #000000; --note-line: #666666; --bad: #000000; --good: #000000;
  }
  @page { margin: 16mm 14mm; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  nav { display: none; }
  h2, h3 { break-after: avoid; }
  tr, li, .figures { break-inside: avoid; }
  .appendix { break-before: page; }
  .name { min-width: 0; }
  .digest code { white-space: normal; }
  .contents .digest { width: auto; }
}
`
