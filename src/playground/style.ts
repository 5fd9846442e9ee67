/** The style of the playground, in light and dark. */
export const style = `
:root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --soft: #f3f5f7; --line: #c9d0d8; --weak: #57606a; --accent: #0b5cad; --problem: #b3261e; --warning: #7a4f00; --good: #1a6b35; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --back: #14171b; --soft: #1e2329; --line: #3a424c; --weak: #a3adb8; --accent: #7db7ff; --problem: #ff9d94; --warning: #f0c060; --good: #7ed39a; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.25rem; font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0 0 .4rem; }
.weak { color: var(--weak); margin: .2rem 0 1rem; }
main { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.25rem; }
@media (max-width: 60rem) { main { grid-template-columns: minmax(0, 1fr); } }
.editor { display: flex; border: 1px solid var(--weak); border-radius: .4rem; overflow: hidden; background: var(--soft); }
.editor:focus-within { outline: 2px solid var(--accent); outline-offset: 1px; }
.gutter, textarea { margin: 0; font: 13px/1.5 ui-monospace, monospace; padding: .5rem; white-space: pre; }
.gutter { color: var(--weak); text-align: right; overflow: hidden; user-select: none; min-width: 3rem; }
.gutter .error { background: var(--problem); color: var(--back); }
.gutter .warning { background: var(--warning); color: var(--back); }
textarea { flex: 1; min-width: 0; border: 0; outline: 0; resize: none; color: inherit; background: var(--back); overflow: auto; }
#policy, #policy-lines { height: 32rem; }
#input, #input-lines { height: 13rem; }
label { display: block; }
input { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--weak); border-radius: .3rem; padding: .2rem .5rem; }
ul { list-style: none; margin: .5rem 0; padding: 0; }
li button { font: inherit; text-align: left; color: inherit; background: none; border: 0; padding: .15rem 0; cursor: pointer; }
.error-text { color: var(--problem); } .warning-text { color: var(--warning); } .good { color: var(--good); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
textarea:focus-visible { outline: 0; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; font-size: .9rem; margin-top: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th:nth-child(3) { width: 15%; } th:nth-child(4) { width: 27%; }
th { background: var(--soft); }
td .weak { margin: 0; display: block; }
`;
