/** For random pods, policies and ways to write YAML: `rewrite` says what the webhook does, and saying it twice changes nothing. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import * as fc from '../random/fast-check.ts';
import fjp from 'fast-json-patch';
import { test } from 'tap';
import { parse, stringify, YAMLParseError, type ToStringOptions } from 'yaml';
import { admit, decisionLabels } from '../../src/admission/admit.ts';
import { readReview, reviewFields } from '../../src/admission/review.ts';
import { commandLineScope } from '../../src/manifests/decide.ts';
import { parseManifests } from '../../src/manifests/parse.ts';
import { rewriteText, type RewrittenText } from '../../src/manifests/rewrite-text.ts';
import { compiledPolicy, type Compiled } from '../builders/arbitrary-compiled.ts';
import { wildPod } from '../builders/arbitrary-pod.ts';
import { reviewOf, type Json } from '../builders/pod.ts';

const style: fc.Arbitrary<ToStringOptions> = fc.record({
  indent: fc.constantFrom(2, 4, 7),
  indentSeq: fc.boolean(),
  collectionStyle: fc.constantFrom('any' as const, 'block' as const, 'flow' as const),
  defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const, 'QUOTE_SINGLE' as const, 'BLOCK_FOLDED' as const),
  flowCollectionPadding: fc.boolean(),
  lineWidth: fc.constantFrom(0, 20, 80),
  nullStr: fc.constantFrom('null', '~', ''),
});

type Writer = (value: Json) => string;
const yaml: fc.Arbitrary<Writer> = style.map((options) => (value) => stringify(value, options));
const json: fc.Arbitrary<Writer> = fc.constantFrom(0, 2, '\t').map((indent) => (value) => JSON.stringify(value, null, indent));
const writer = fc.oneof({ weight: 4, arbitrary: yaml }, { weight: 1, arbitrary: json });

/** What a manifest can say: a pod with metadata, since a template without is given some. Its size is no matter here. */
const manifest = wildPod.filter((pod) => isMap(pod) && isMap(pod['metadata']) && JSON.stringify(pod).length < 3000);

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const lists = ['initContainers', 'containers', 'ephemeralContainers', 'volumes'] as const;

function hasUniqueNames(pod: Json): boolean {
  const spec = isMap(pod) && isMap(pod['spec']) ? pod['spec'] : {};
  const entries = lists.flatMap((list) => (Array.isArray(spec[list]) ? spec[list] : []));
  return new Set(entries.map((entry) => (isMap(entry) ? entry['name'] : undefined))).size === entries.length;
}

/** What the text says, as the API server would get it. */
function plain(text: string): unknown {
  return JSON.parse(JSON.stringify(parse(text) ?? null));
}

/** YAML 1.2, section 5.1: the library writes and reads others as they are, and kubectl refuses them. */
const notPrintable = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Not every style can say everything: some of them make the library write what it does not read again. */
function says(text: string, value: unknown): boolean {
  if (notPrintable.test(text)) return false;
  try {
    return isDeepStrictEqual(plain(text), value);
  } catch (error) {
    if (error instanceof YAMLParseError) return false;
    throw error;
  }
}

function rewritten({ policy }: Compiled, text: string): RewrittenText {
  return rewriteText(policy, parseManifests(text, 'test'), { namespaceOf: (stated) => stated ?? 'default' });
}

function admitted({ policy }: Compiled, pod: Json): Json {
  const read = readReview(reviewOf({ object: pod, namespace: 'default' }), reviewFields(decisionLabels(policy)));
  if (!read.ok) throw new Error(read.problem);
  return fjp.applyPatch(
    structuredClone(pod),
    JSON.parse(JSON.stringify(admit(read.review, policy, commandLineScope, 'enforce').operations)),
  ).newDocument;
}

const kinds: readonly { readonly kind: string; readonly around: (pod: Json) => { [key: string]: Json } }[] = [
  { kind: 'Pod', around: (pod) => (isMap(pod) ? pod : {}) },
  { kind: 'StatefulSet', around: (pod) => ({ metadata: { name: 'web' }, spec: { template: pod } }) },
  { kind: 'CronJob', around: (pod) => ({ spec: { jobTemplate: { spec: { template: pod } } } }) },
  { kind: 'DeploymentList', around: (pod) => ({ items: [{ spec: { template: pod } }, { spec: {} }] }) },
];

for (const { kind, around } of kinds) {
  test(`a ${kind} in any style`, async (t) => {
    let keptTexts = 0;
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(compiledPolicy, manifest, writer, (policy, pod, write) => {
          const before = Object.assign({}, around(pod), { kind });
          const text = write(before);
          fc.pre(says(text, before));
          const { text: first, kept } = rewritten(policy, text);
          // Some styles leave no room for another value, such as `{imagePullPolicy:, name: a}`: the pod is named, and kept.
          if (kept.length > 0) {
            keptTexts += 1;
            return assert.equal(first, text);
          }
          assert.deepEqual(plain(first), Object.assign({}, around(admitted(policy, pod)), { kind }));
          // The records go by the names of containers, which Kubernetes wants unique.
          if (hasUniqueNames(pod)) assert.equal(rewritten(policy, first).text, first);
        }),
        { numRuns: 150 },
      ),
    );
    t.ok(keptTexts < 15, `${keptTexts} of 150 were kept as they are`);
  });
}
