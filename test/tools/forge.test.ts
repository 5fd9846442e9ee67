/** The files for a public forge: they call commands of this checkout and nothing else, and the forms are as the forge wants them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';

const project = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(project, path), 'utf8');
const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Workflow {
  readonly permissions?: object;
  readonly jobs: Record<string, { readonly 'timeout-minutes'?: number; readonly steps: readonly Step[] }>;
}

const workflows = readdirSync(join(project, '.github/workflows')).map((file) => `.github/workflows/${file}`);

t.test('workflows have the least rights, an end, and actions by commit', (tt) => {
  for (const file of workflows) {
    const text = read(file);
    const { permissions, jobs }: Workflow = parse(text);
    tt.strictSame(permissions, { contents: 'read' }, `${file}: more is given to a job by name`);
    for (const [name, job] of Object.entries(jobs)) tt.type(job['timeout-minutes'], 'number', `${file} ${name}`);
    for (const [line] of text.matchAll(/^.*uses: .*$/gm))
      tt.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, `${file}: ${line.trim()}`);
  }
  tt.end();
});

t.test('each command of a workflow is one of this checkout', async (tt) => {
  const runs = workflows
    .flatMap((file) => Object.values(parse(read(file)).jobs as Workflow['jobs']))
    .flatMap(({ steps }) => steps.map(({ run = '' }) => run));
  const text = runs.join('\n');
  tt.match(text, /^\.ci\/run$/m, 'the gate');
  for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g)) tt.ok(script in scripts, `npm run ${script}`);
  for (const [, folder = ''] of text.matchAll(/go -C (\S+)/g)) tt.ok(existsSync(join(project, folder, 'go.mod')), folder);
  const help = read('tools/release/release.ts');
  for (const [command] of text.matchAll(/npm run release -- .*/g))
    for (const [flag] of command.matchAll(/--[a-z]+/g)) tt.ok(help.includes(`  ${flag}`), `${flag} of ${command}`);
  // An input could hold anything: it reaches a shell as a variable only.
  tt.notMatch(text, /\$\{\{/, 'no expression inside a script');
  tt.end();
});

t.test('forms ask for what is needed, once, and point to pages that exist', (tt) => {
  const folder = '.github/ISSUE_TEMPLATE';
  for (const file of readdirSync(join(project, folder)).filter((name) => name !== 'config.yml')) {
    const form: { name: string; description: string; body: { type: string; id: string; attributes: { label: string } }[] } = parse(
      read(`${folder}/${file}`),
    );
    tt.ok(form.name.length > 0 && form.description.length > 0, file);
    for (const { type, id, attributes } of form.body) {
      tt.match(type, /^(?:textarea|input|dropdown|checkboxes|markdown)$/, `${file} ${id}`);
      tt.match(id, /^[\w-]+$/);
      tt.ok(attributes.label.length > 0, `${file} ${id}`);
    }
    tt.equal(new Set(form.body.map(({ id }) => id)).size, form.body.length, `${file}: an id each`);
  }
  const blob = 'https://github.com/transship-dev/transship/blob/main/';
  for (const { url } of parse(read(`${folder}/config.yml`)).contact_links as { url: string }[])
    if (url.startsWith(blob)) tt.ok(existsSync(join(project, url.slice(blob.length))), url);
  tt.end();
});
