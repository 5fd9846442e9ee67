/** The style of the report: light and dark by the reader's setting, and on paper. */
export const style = `
:root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --soft: #f3f5f7; --line: #c9d0d8; --weak: #57606a; --accent: #0b5cad; --problem: #b3261e; --band: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --back: #14171b; --soft: #1e2329; --line: #3a424c; --weak: #a3adb8; --accent: #7db7ff; --problem: #ff9d94; --band: #7db7ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.weak { color: var(--weak); margin: .25rem 0 1rem; }
.count { color: var(--weak); font-weight: normal; }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; margin: 1rem 0; list-style: none; }
.figures li { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .9rem; }
.figures strong { display: block; font-size: 1.4rem; line-height: 1.2; }
.figures .problem strong { color: var(--problem); }
.tools { margin: 1rem 0; }
.tools input { width: min(28rem, 100%); }
input, select { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--weak); border-radius: .3rem; padding: .25rem .5rem; }
.choice { display: inline-block; margin-bottom: .5rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; min-width: 4.5rem; }
thead th { background: var(--soft); white-space: nowrap; }
tr.group th { background: var(--soft); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th[aria-sort=ascending] button::after { content: ' ▲'; }
th[aria-sort=descending] button::after { content: ' ▼'; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
svg { width: 100%; height: auto; font: 14px system-ui, sans-serif; }
svg text { fill: var(--text); }
.bar { fill: var(--weak); }
.band { fill: none; stroke: var(--band); stroke-opacity: .45; }
.band.stays { stroke: var(--weak); stroke-opacity: .3; }
.no-script .tools, .no-script .choice { display: none; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } .tools, .choice { display: none; } .scroll { overflow: visible; border: 0; } tr, svg { break-inside: avoid; } thead { display: table-header-group; } }
`;
