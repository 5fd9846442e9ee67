/** Time grows with the length of an image and no faster: a pod author writes the text that the expressions of grammar and policy read. */
import { test } from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { parseReference } from '../../src/image/reference.ts';
import { decideImage } from '../../src/rules/decide.ts';

const long = 1000;
const short = long / 4;
/** Linear time gives 4, quadratic 16; the best of many rounds is compared, since the machine may be busy. */
const mostRatio = 10;

/** Texts that make an engine that goes back try every way of taking them apart. */
const references: Readonly<Record<string, (length: number) => string>> = {
  'dashes and no end': (length) => `${'a-'.repeat(length / 2)}!`,
  'dashes below a host': (length) => `x.y/${'a--'.repeat(length / 3)}!`,
  'components and no end': (length) => `${'a/'.repeat(length / 2 - 2)}!`,
  'a host that is none': (length) => `${'A.a-'.repeat(length / 4 - 1)}!/`,
  underscores: (length) => `a${'_'.repeat(length)}`,
  'a digest without a colon': (length) => `a@${'a-'.repeat(length / 2 - 2)}`,
  'colons in brackets': (length) => `[${':'.repeat(length)}/a`,
};

/** Exponential in engines that go back; RE2 does not. */
const expressions = ['^docker\\.io/library/(a+)+$', '(a*)*b$', '(a|aa)+!$', '^(.*)(.*)(.*)(.*)x$'];

function ratio(work: (length: number) => void): number {
  return best(() => work(long)) / best(() => work(short));
}

/** Milliseconds. */
function best(work: () => void): number {
  let least = Infinity;
  for (let round = 0; round < 40; round += 1) {
    const began = performance.now();
    for (let count = 0; count < 50; count += 1) work();
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

test('the grammar', (t) => {
  for (const [name, text] of Object.entries(references)) {
    const found = ratio((length) => parseReference(text(length)));
    t.ok(found < mostRatio, `${name}: ${found.toFixed(1)} times as long for 4 times the text`);
  }
  t.end();
});

test('expressions of a policy', (t) => {
  for (const expression of expressions) {
    const { compiled } = loadPolicy(
      `apiVersion: transship.dev/v1\nkind: RewritePolicy\nregistries: { r: { host: r.example.com } }\nrules:\n  - { name: x, match: { images: [{ regex: '${expression}' }] }, rewrite: { registry: r, as: path } }\n`,
      'policy.yaml',
    );
    if (compiled === null) throw new Error(`${expression} does not load`);
    // The longest path that is a name.
    const [many, few] = [240, 60].map((length) =>
      best(() => void decideImage(compiled.table, 'a'.repeat(length), { namespace: 'shop', podLabels: {} })),
    );
    const found = (many ?? 0) / (few ?? 1);
    t.ok(found < mostRatio, `${expression}: ${found.toFixed(1)} times as long for 4 times the text`);
  }
  t.end();
});
