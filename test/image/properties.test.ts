import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { canonicalText, familiarName, parseReference, suffix } from '../../src/image/reference.ts';
import { referenceOf } from './parsed.ts';
import { holds } from './property.ts';
import { component, digest, host, tag, writtenReference } from './arbitrary-reference.ts';

holds(
  'what was written comes back: text, host, tag and digest',
  fc.property(writtenReference, (written) => {
    const reference = referenceOf(written.text);
    assert.equal(reference.writtenName + suffix(reference), written.text);
    assert.deepEqual(
      [reference.text, reference.writtenHost, reference.tag, reference.digest],
      [written.text, written.host, written.tag, written.digest],
    );
    if (written.host !== null && reference.host !== 'docker.io') assert.equal(reference.path, written.path);
  }),
);

holds(
  'the canonical text names the same image, and is its own canonical text',
  fc.property(writtenReference, ({ text }) => {
    const first = referenceOf(text);
    const again = referenceOf(canonicalText(first));
    assert.deepEqual(
      [again.name, again.tag, again.digest, again.comparableHost],
      [first.name, first.tag, first.digest, first.comparableHost],
    );
    assert.equal(canonicalText(again), canonicalText(first));
  }),
);

holds(
  'the familiar name leads back to the same canonical name',
  fc.property(writtenReference, ({ text }) => {
    const first = referenceOf(text);
    // The grammar's own gap: `docker.io/a.b/c` has the familiar name `a.b/c`, which reads as another host.
    fc.pre(first.host !== 'docker.io' || !/^(?:[^/]*\.[^/]*|localhost)\//.test(first.path));
    const again = referenceOf(familiarName(first));
    assert.deepEqual([again.comparableHost, again.path], [first.comparableHost, first.path]);
  }),
);

holds(
  'another host before the same path changes the host and nothing else',
  fc.property(
    writtenReference,
    host.filter((other) => !/^(index\.)?docker\.io$/i.test(other)),
    ({ text }, other) => {
      const first = referenceOf(text);
      const moved = referenceOf(`${other}/${first.path}${suffix(first)}`);
      assert.deepEqual([moved.host, moved.path, moved.tag, moved.digest], [other, first.path, first.tag, first.digest]);
    },
  ),
);

holds(
  'hosts compare without case',
  fc.property(host, component, (written, path) => {
    const lower = referenceOf(`${written.toLowerCase()}/${path}`);
    const upper = referenceOf(`${written.toUpperCase()}/${path}`);
    assert.deepEqual([upper.comparableHost, upper.path, familiarName(upper)], [lower.comparableHost, lower.path, familiarName(lower)]);
  }),
);

test('any text is answered, and what is accepted has exactly the characters that were given', (t) => {
  const piece = fc.oneof(host, component, tag, digest, fc.constantFrom('/', ':', '@', '.', '-', '_', '', ' '), fc.string({ maxLength: 3 }));
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => {
      const text = pieces.join('');
      const result = parseReference(text);
      if (!result.ok) return assert.ok(result.problem.length > 0);
      accepted += 1;
      return assert.equal(result.reference.writtenName + suffix(result.reference), text);
    }),
    { numRuns: 1000 },
  );
  t.ok(accepted > 20, 'the property was tried on references too, not only on refused text');
  t.end();
});
