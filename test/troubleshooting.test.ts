/** The commands and flags in the guides exist, and the page from symptom to cause has every code, with the sentence of the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { commands } from '../src/cli/commands.ts';
import { readFlags } from '../src/cli/read-flags.ts';
import { checks } from '../src/inspect/doctor/checks.ts';
import { cannotPull } from '../tools/docs/pull-symptoms.ts';
import { failedChecks, notRewritten } from '../tools/docs/troubleshooting.ts';

const guides = new URL('../docs/guides/', import.meta.url);
const page = readFileSync(new URL('troubleshooting.md', guides), 'utf8');

interface Command {
  readonly name: string;
  readonly words: readonly string[];
}

/** In code, at the start of a line or after a pipe (which is no cell of a table), without what a shell takes away. */
function commandsOf(text: string): Command[] {
  return [...text.matchAll(/(?:`| {4}|run: |(?<!^\|.*)\| )(?:npx )?transship ([a-z]+)((?: [^`\n#|>]*)?)/gm)].map(
    ([, name = '', rest = '']) => ({
      name,
      // The reader's own names stand in capitals.
      words: rest
        .trim()
        .split(/\s+/)
        .filter(Boolean)
        .map((word) => (/^[A-Z][A-Z_-]*$/.test(word) ? word.toLowerCase() : word)),
    }),
  );
}

const pages = readdirSync(guides).filter((name) => name.endsWith('.md'));
// A name without arguments may be prose.
const found = pages.flatMap((name) => commandsOf(readFileSync(new URL(name, guides), 'utf8'))).filter(({ words }) => words.length > 0);

/** `NAMESPACE` stands for a name of the reader. */
const example = (word: string): string => (/^[A-Z]+$/.test(word) ? word.toLowerCase() : word);

test('every command of the guides is accepted', async (t) => {
  t.ok(commandsOf(page).length >= 10);
  t.ok(found.length >= 15, `${found.length} commands`);
  for (const { name, words } of found) {
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load === undefined) {
      t.fail(`there is no command ${name}`);
      continue;
    }
    const { flags } = await load();
    t.doesNotThrow(() => readFlags(flags, words.map(example), {}), `${name} ${words.join(' ')}`);
  }
});

/** The sources that write sentences of `why`, as one text. */
const sources = ['inspect', 'rules', 'registry', 'admission', 'pod']
  .flatMap((folder) => readdirSync(new URL(`../src/${folder}/`, import.meta.url), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => readFileSync(`${parentPath}/${name}`, 'utf8'))
  .join('\n')
  // A sentence over several values has the label and the type as variables.
  .replaceAll(/\$\{[^}]*\}/g, '…');

test('the page quotes each sentence of why as the code has it', (t) => {
  for (const [code, { says }] of Object.entries({ ...notRewritten, ...cannotPull })) {
    const parts = says.split('…').map((part) => part.trim());
    for (const part of parts) t.ok(sources.includes(part), `${code}: ${part}`);
    t.ok(page.includes(`| ${says} | \`${code}\` |`), `the page has ${code}`);
  }
  t.end();
});

test('the page has every check of doctor once, and no row for a check that is gone', (t) => {
  t.same(checks.map(({ id }) => id).toSorted(), Object.keys(failedChecks).toSorted());
  for (const { id } of checks) t.equal(page.split(`| \`${id}\` |`).length, 2, id);
  t.end();
});
