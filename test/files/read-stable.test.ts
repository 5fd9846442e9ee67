/** What two looks in a row agree on is taken, and nothing else. */
import { test } from 'tap';
import { readStable } from '../../src/files/read-stable.ts';

const rows: readonly (readonly [says: string, contents: readonly string[], taken: string | null, looks: number])[] = [
  ['what is known is taken at once', ['known'], 'known', 1],
  ['what is new is looked at twice', ['new', 'new'], 'new', 2],
  ['what grows is waited for', ['n', 'ne', 'new', 'new'], 'new', 4],
  ['what is taken back is known', ['new', 'known', 'known'], 'known', 2],
  ['what never rests is left', Array.from({ length: 20 }, (_value, n) => String(n)), null, 10],
];

for (const [says, contents, taken, looks] of rows) {
  test(says, async (t) => {
    let looked = 0;
    const read = async (): Promise<string> => contents[looked++] ?? 'too often';
    // Nobody else is there to keep the process alive.
    const alive = setInterval(() => {}, 1_000);
    t.teardown(() => clearInterval(alive));
    t.equal(await readStable(read, (text) => text, 'known'), taken);
    t.equal(looked, looks);
  });
}

test('an unreadable file is not waited for', async (t) => {
  let looked = 0;
  const read = async (): Promise<string> => {
    looked += 1;
    throw new Error('gone');
  };
  await t.rejects(
    readStable(read, (text) => text, 'known'),
    new Error('gone'),
  );
  t.equal(looked, 1);
});
