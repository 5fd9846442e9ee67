/** The commands and flags in the guides exist, and the sentences that the page from symptom to cause quotes are those of the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { commands } from '../src/cli/commands.ts';
import { readFlags } from '../src/cli/read-flags.ts';

const guides = new URL('../docs/guides/', import.meta.url);
const page = readFileSync(new URL('troubleshooting.md', guides), 'utf8');

interface Command {
  readonly name: string;
  readonly words: readonly string[];
}

/** In code, at the start of a line or after a pipe, without what a shell takes away. */
function commandsOf(text: string): Command[] {
  return [...text.matchAll(/(?:`| {4}|run: |\| )(?:npx )?transship ([a-z]+)((?: [^`\n#|>]*)?)/g)].map(([, name = '', rest = '']) => ({
    name,
    words: rest.trim().split(/\s+/).filter(Boolean),
  }));
}

const pages = readdirSync(guides).filter((name) => name.endsWith('.md'));
// A name without arguments may be prose.
const found = pages.flatMap((name) => commandsOf(readFileSync(new URL(name, guides), 'utf8'))).filter(({ words }) => words.length > 0);

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
    t.doesNotThrow(() => readFlags(flags, words, {}), `${name} ${words.join(' ')}`);
  }
});

/** Sentences have parts that depend on the cluster: each row has the part that does not. */
const quoted: readonly (readonly [file: string, part: string])[] = [
  ['inspect/opt-in.ts', 'is not opted in'],
  ['inspect/opt-in.ts', 'has the value'],
  ['inspect/opt-in.ts', 'is an annotation, and only a label opts in'],
  ['inspect/why/not-asked.ts', 'and not on the template of its pods'],
  ['inspect/why/not-asked.ts', 'was created before'],
  ['inspect/why/not-asked.ts', 'shadow mode decides and reports'],
  ['inspect/why/not-asked.ts', 'everything fits, but the webhook was not asked when the pod was created, or did not answer'],
  ['rules/decide.ts', 'no rule matches it'],
  ['admission/scope.ts', 'the pod is managed by'],
  ['inspect/why/judgement.ts', 'wrote the first name back'],
  ['inspect/doctor/webhook-checks.ts', 'no MutatingWebhookConfiguration'],
];

test('the page quotes sentences as the code has them', (t) => {
  for (const [file, part] of quoted) {
    t.ok(page.includes(part), `the page: ${part}`);
    t.ok(readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8').includes(part), `${file}: ${part}`);
  }
  t.end();
});
