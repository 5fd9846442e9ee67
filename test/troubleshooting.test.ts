/** The commands of the page from symptom to cause are commands and flags that exist. */
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
