import fjp from 'fast-json-patch';
import { test } from 'tap';
import { add, remove, replace } from '../../src/patch/operations.ts';
import { token, tokens } from '../../src/patch/pointer.ts';

// RFC 6901, section 5, and the order in which section 4 wants the two replaced.
const escaped: readonly [text: string, token: string][] = [
  ['a/b', 'a~1b'],
  ['m~n', 'm~0n'],
  ['~1', '~01'],
  ['', ''],
  ['transship.dev/original-images', 'transship.dev~1original-images'],
];

for (const [text, written] of escaped) {
  test(`the token of ${JSON.stringify(text)}`, (t) => {
    t.equal(token(text), written);
    t.strictSame(tokens(`/x/${written}`), ['x', text]);
    t.end();
  });
}

test('the empty pointer is the whole document', (t) => {
  t.strictSame(tokens(''), []);
  t.strictSame(tokens('/'), ['']);
  t.end();
});

test('operations are those of RFC 6902', (t) => {
  const operations = [add('/a', ['x']), replace('/b', 'y'), remove('/c')];
  t.strictSame(
    fjp.applyPatch(
      { b: 'x', c: 'z' },
      operations.map((operation) => structuredClone(operation) as fjp.Operation),
      true,
    ).newDocument,
    { a: ['x'], b: 'y' },
  );
  t.strictSame(
    operations.map(({ op }) => op),
    ['add', 'replace', 'remove'],
  );
  t.end();
});
