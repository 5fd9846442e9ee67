/** The runtimes' own readers of exported files pull each image from where the policy sends it. */
import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import tap, { test } from 'tap';
import { exportContainerd } from '../../src/export/containerd.ts';
import { exportCrio } from '../../src/export/crio.ts';
import { exportK3s } from '../../src/export/k3s.ts';
import type { Exported } from '../../src/export/exported.ts';
import { referenceOf, type Reference } from '../../src/image/reference.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { decideImage } from '../../src/rules/decide.ts';
import { skipWithout } from '../cluster/binaries.ts';
import { goodReferences } from '../image/corpus.ts';
import { anyPod, compiled } from '../rules/policy.ts';
import { images, policies } from './arbitrary-policy.ts';
import { loaded } from './equality.ts';
import { examplePolicies, policyOf } from './policies.ts';
import { containerdReader, crioReader, k3sReader, pulledName, type Pull, type Reader } from './readers.ts';

tap.setTimeout(120_000);

interface Format {
  readonly export: (policy: CompiledPolicy) => Exported;
  readonly reader: Reader;
  /** Names that are asked for, in this order. @param target where the policy sends an image @param source where it is from */
  readonly places: (target: string, source: string) => readonly string[];
  /** Sentences by which the program refuses an image that a kubelet takes. */
  readonly refuses: RegExp;
  /** Hosts that it takes for others. */
  readonly otherHosts: readonly string[];
}

const alone = (target: string): readonly string[] => [target];

const formats: Readonly<Record<string, Format>> = {
  containerd: { export: exportContainerd, reader: containerdReader, places: alone, refuses: /^none is refused$/, otherHosts: [] },
  // The library for K3s' own images has other rules for names than containerd, which reads those of pods.
  k3s: {
    export: exportK3s,
    reader: k3sReader,
    places: (target, source) => (target === source ? [source] : [source.startsWith('docker.io/') ? official(target) : target, source]),
    refuses: /^could not parse reference/,
    otherHosts: ['localhost', 'LOCALNET', 'docker.io:443'],
  },
  crio: {
    export: exportCrio,
    reader: crioReader,
    places: alone,
    refuses: /^short-name "\S+" did not resolve|^cannot parse input|repository name must (be lowercase|not be more than)/,
    otherHosts: ['docker.io:443'],
  },
};

/** A path of one component, also of another registry, as of Docker Hub. */
const official = (name: string): string => name.replace(/^([^/]+)\/([^/]+)$/, '$1/library/$2');

interface Case {
  readonly policy: CompiledPolicy;
  readonly images: readonly string[];
}

interface Counts {
  /** Policies of which nothing is refused. */
  policies: number;
  moved: number;
  /** Images that a rule would move which is refused. */
  left: number;
}

interface Asked extends Case {
  readonly format: Format;
  readonly exported: Exported;
}

function check(format: Format, cases: readonly Case[], counts: Counts): void {
  const all = cases.map((each): Asked => ({ ...each, format, exported: format.export(each.policy) }));
  const answers = format.reader.ask(all.map(({ exported, images: texts }) => ({ files: exported.files, images: texts })));
  for (const [index, asked] of all.entries()) {
    const { error = 'no answer', pulls = [] } = answers[index] ?? {};
    assert.equal(error, '', shown(asked));
    if (asked.exported.refusals.length === 0) counts.policies += 1;
    for (const [entry, text] of asked.images.entries()) checkImage(asked, text, pulls[entry] ?? { error: 'no answer' }, counts);
  }
}

// oxlint-disable-next-line max-params
function checkImage(asked: Asked, text: string, pull: Pull, counts: Counts): void {
  const { format, policy, exported } = asked;
  const reference = referenceFrom(text);
  const { result, reason, code } = decideImage(policy.table, text, anyPod);
  // A node does not look at the result, and asks for it in vain.
  if (code === 'invalid-result') return;
  if ('error' in pull) return assert.ok(format.refuses.test(pull.error), `${text}: ${reason}: ${pull.error}`);
  const [source, target] = [pulledName(reference), pulledName(referenceFrom(result ?? text))];
  const names = pull.places.map(({ name }) => name);
  if (hasCapitals(reference)) return assert.deepEqual(names, [asWritten(reference)], text);
  if (source !== target && names[0] === source && exported.refusals.length > 0) {
    counts.left += 1;
    return assert.deepEqual(names, [source], text);
  }
  assert.deepEqual(names, format.places(target, source), `${text}: ${reason}\n${shown(asked)}`);
  if (source === target) return;
  counts.moved += 1;
  assert.equal(pull.places[0]?.insecure, /^localhost:\d+\//.test(target), `TLS of ${target}`);
}

const shown = ({ exported }: Asked): string => exported.files.map(({ path, text }) => `${path}\n${text}`).join('\n');

function referenceFrom(text: string): Reference {
  const reference = referenceOf(text);
  assert.ok(reference !== null, text);
  return reference;
}

/** Of a host: to a policy it is the same in small letters, and to all runtimes another, which is not mirrored. */
const hasCapitals = ({ writtenHost }: Reference): boolean => writtenHost !== null && writtenHost !== writtenHost.toLowerCase();
const asWritten = (reference: Reference): string =>
  pulledName({
    ...reference,
    host: reference.writtenHost ?? '',
    path: reference.writtenName.slice(reference.writtenName.indexOf('/') + 1),
  });

const spellings = goodReferences.map(({ text }) => text);

/** Says something about every host of the spellings, of which the examples name few. */
const hosts = [...new Set(spellings.map((text) => referenceFrom(text).comparableHost))].filter((host) => /[.:]|^localhost$/.test(host));
const ofEveryHost = policyOf([
  '{ name: hub, match: { images: [docker.io] }, rewrite: { registry: local, as: path, prefix: hub, collisions: accept } }',
  `{ name: ports, match: { images: ${JSON.stringify(hosts.filter((host) => host.includes(':')))} }, rewrite: { registry: mirror, as: path, collisions: accept } }`,
  `{ name: others, match: { images: ${JSON.stringify(hosts)} }, rewrite: { registry: plain, as: fullName } }`,
]);

for (const [name, format] of Object.entries(formats)) {
  const options = { skip: skipWithout(format.reader.program) };

  test(`${name}: the example policies, their images and every spelling`, options, (t) => {
    const counts: Counts = { policies: 0, moved: 0, left: 0 };
    const known = spellings.filter((text) => !format.otherHosts.includes(referenceFrom(text).host));
    const cases = [...examplePolicies.map(({ text }) => loaded(text)), ofEveryHost].map((policy) => ({
      policy,
      images: [...policy.policy.tests.map(({ image }) => image), ...known],
    }));
    check(format, cases, counts);
    t.comment(JSON.stringify(counts));
    t.ok(counts.policies >= 1 && counts.moved > 40, `${counts.moved} images`);
    t.end();
  });

  test(`${name}: random policies and images`, options, (t) => {
    const counts: Counts = { policies: 0, moved: 0, left: 0 };
    const one = fc
      .tuple(policies, fc.array(images, { minLength: 10, maxLength: 20 }))
      .map(([input, texts]) => ({ policy: compiled(input), images: texts }))
      .filter(({ policy }) => policy.problems.length === 0);
    const property = fc.property(fc.array(one, { minLength: 100, maxLength: 100 }), (cases) => check(format, cases, counts));
    fc.assert(property, { numRuns: 10, endOnFailure: true });
    t.comment(JSON.stringify(counts));
    t.ok(counts.policies > 100 && counts.moved > 500 && counts.left > 100, 'the images are of all kinds');
    t.end();
  });
}

test('crio: a host with the port that its scheme has by default', { skip: skipWithout('pull-sources') }, (t) => {
  const { files } = exportCrio(
    policyOf(['{ match: { images: [quay.io, gcr.io] }, rewrite: { registry: mirror, as: path, prefix: hub, collisions: accept } }']),
  );
  t.strictSame(crioReader.ask([{ files, images: ['quay.io:443/acme/app:1'] }])[0]?.pulls, [
    { error: 'rewriting reference: invalid reference format' },
  ]);
  t.end();
});

/** So that a file with a mistake does not pass for one that says nothing. */
const wrong: readonly (readonly [reader: Reader, text: string, error: RegExp])[] = [
  [k3sReader, 'mirrors: { quay.io: { endpoints: [a] } }', /field endpoints not found in type registries\.Mirror/],
  [crioReader, '[[registry]]\nprefix = "quay.io"', /location/],
  [crioReader, '[[registry]\n', /toml/],
];
for (const [reader, text, error] of wrong)
  test(`refused: ${text}`, { skip: skipWithout(reader.program) }, (t) => {
    t.match(reader.ask([{ files: [{ path: '', text }], images: [] }]), [{ error }]);
    t.end();
  });
