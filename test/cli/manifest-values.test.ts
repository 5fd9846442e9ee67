/** `scan -f` and `init -f`: a manifest that cannot be read as a whole ended the command, and those after it were not read. */
import { join } from 'node:path';
import { test } from 'tap';
import { transship } from './terminal.ts';

const pod = 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: quay.io/acme/app:1 }] }\n';
const list = (name: string, item: string): string => `${name}: &${name} [${Array.from({ length: 10 }, () => item).join(', ')}]\n`;
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** Each list has the one before ten times. */
const expanding = names.map((name, index) => list(name, index === 0 ? '1' : `*${names[index - 1]}`)).join('');

for (const [command, words, shown] of [
  ['scan', ['-o', 'json'], 'quay.io/acme/app:1'],
  ['init', ['--preset', 'air-gap'], 'quay.io/acme/app:1'],
] as const)
  test(command, async (t) => {
    const folder = t.testdir({ 'a.yaml': expanding, 'b.yaml': pod });
    const ended = await transship([command, ...words, '-f', join(folder, 'a.yaml'), '-f', join(folder, 'b.yaml')]);
    t.equal(ended.code, 2);
    t.match(ended.stderr, new RegExp(`^transship ${command}: MANIFEST_INVALID: .*a\\.yaml`));
    t.match(ended.stdout, shown);
  });
