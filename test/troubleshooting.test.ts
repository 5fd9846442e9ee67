/** The page from symptom to cause: its commands and flags exist, and the sentences that it quotes are those of the code. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { commands } from '../src/cli/commands.ts';
import { readFlags } from '../src/cli/read-flags.ts';

const page = readFileSync(new URL('../docs/guides/troubleshooting.md', import.meta.url), 'utf8');
const found = [...page.matchAll(/(?:`| {4})transship ([a-z]+)((?: [^`\n#|]*)?)/g)].map(([, name = '', rest = '']) => ({
  name,
  words: rest.trim().split(/\s+/).filter(Boolean),
}));

test('every command of the page is accepted', async (t) => {
  t.ok(found.length >= 10, `${found.length} commands`);
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
