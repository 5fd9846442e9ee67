/**
 * Records on pods whose annotations nearly fill the API server's limit: the same by the engine, called once and twice, and by the compiled policy,
 * evaluated once and twice on a real API server, and never a reason to refuse the pod.
 */
import tap, { test } from 'tap';
import { originalImagesAnnotation, rewrittenByAnnotation } from '../../src/pod/annotations.ts';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { skipReason } from '../cluster/binaries.ts';
import { admission, applyAll, defaults, loaded, patchedByEngine, plain, startCluster, type Admission, type PodBody } from './equality.ts';

tap.setTimeout(120_000);

const text = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example.com/hub } }
rules: [{ name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }]
`;
const policy = loaded(text);
const by = `hub@${policy.revision}`;

interface Records {
  readonly images?: string;
  readonly rules?: string;
}

interface Row {
  readonly says: string;
  /** Of the container `a`, as the request has it. */
  readonly image: string;
  readonly before: Records;
  /** Beside these records all annotations have as many bytes as are allowed, and this many more or fewer. */
  readonly full: Records;
  readonly bytes?: number;
  readonly expected: Records;
}

const short = 'nginx:1';
/** Its record is longer than that of the rule. */
const long = `nginx:${'t'.repeat(100)}`;
const target = 'mirror.example.com/hub/library/nginx:1';
const imageOf = (image: string): string => `{"a":"${image}"}`;
const ruleOf = `{"a":"${by}"}`;
const foreign = '{"b":"x@r"}';
const foreignBytes = '{"b":"é@r"}';

const rows: readonly Row[] = [
  {
    says: 'space for both',
    image: short,
    before: {},
    full: { images: imageOf(short), rules: ruleOf },
    expected: { images: imageOf(short), rules: ruleOf },
  },
  {
    says: 'a byte less: the image',
    image: short,
    before: {},
    full: { images: imageOf(short), rules: ruleOf },
    bytes: 1,
    expected: { images: imageOf(short) },
  },
  { says: 'space for the image', image: long, before: {}, full: { images: imageOf(long) }, expected: { images: imageOf(long) } },
  // The rule used to be recorded alone, and a second call took it for that of the image before.
  {
    says: 'a byte less, which the rule would fit in: none',
    image: long,
    before: {},
    full: { images: imageOf(long) },
    bytes: 1,
    expected: {},
  },
  { says: 'space for the rule alone', image: long, before: {}, full: { rules: ruleOf }, expected: {} },
  {
    says: 'the rule of before, and space for the image beside it',
    image: short,
    before: { rules: foreign },
    full: { images: imageOf(short), rules: foreign },
    expected: { images: imageOf(short), rules: foreign },
  },
  // The rule of before used to stay, and the API server refused the pod: 422, metadata.annotations: Too long.
  {
    says: 'the rule of before, and a byte less',
    image: short,
    before: { rules: foreign },
    full: { images: imageOf(short), rules: foreign },
    bytes: 1,
    expected: { images: imageOf(short) },
  },
  {
    says: 'the rule of before in bytes, and space for the image beside it',
    image: short,
    before: { rules: foreignBytes },
    full: { images: imageOf(short), rules: foreignBytes },
    expected: { images: imageOf(short), rules: foreignBytes },
  },
  {
    says: 'the rule of before in bytes, and a byte less',
    image: short,
    before: { rules: foreignBytes },
    full: { images: imageOf(short), rules: foreignBytes },
    bytes: 1,
    expected: { images: imageOf(short) },
  },
  {
    says: 'both of before, and no space for more',
    image: long,
    before: { images: '{"b":"old"}', rules: foreign },
    full: { images: '{"b":"old"}', rules: foreign },
    expected: { images: '{"b":"old"}', rules: foreign },
  },
  {
    says: 'both of before, which would be wrong',
    image: long,
    before: { images: imageOf('old'), rules: ruleOf },
    full: { images: imageOf('old'), rules: ruleOf },
    expected: {},
  },
  {
    says: 'both of before, and space for a longer image without the rule',
    image: long,
    before: { images: imageOf('old'), rules: foreign },
    full: { images: imageOf(long) },
    expected: { images: imageOf(long) },
  },
];

const staleRows: readonly Row[] = [
  {
    says: 'an image at its target, beside records of the image before',
    image: target,
    before: { images: imageOf('old'), rules: ruleOf },
    full: { images: imageOf('old'), rules: ruleOf },
    expected: {},
  },
  {
    says: 'an image at its target, beside records of others',
    image: target,
    before: { images: '{"a":"old","b":"old"}', rules: `{"a":"${by}","b":"x@r"}` },
    full: { images: '{"a":"old","b":"old"}', rules: `{"a":"${by}","b":"x@r"}` },
    expected: { images: '{"b":"old"}', rules: foreign },
  },
  {
    says: 'an image at its target, beside the rules of before alone',
    image: target,
    before: { rules: `{"a":"x@r","b":"x@r"}` },
    full: { rules: `{"a":"x@r","b":"x@r"}` },
    expected: { rules: foreign },
  },
];

const annotationsOf = ({ images, rules }: Records): Record<string, string> => ({
  ...(images === undefined ? {} : { [originalImagesAnnotation]: images }),
  ...(rules === undefined ? {} : { [rewrittenByAnnotation]: rules }),
});

const bytesOf = (annotations: Readonly<Record<string, string>>): number =>
  Object.entries(annotations).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);

function annotated({ before, full, bytes = 0 }: Row): Record<string, string> {
  return { note: 'x'.repeat(256 * 1024 - 'note'.length - bytesOf(annotationsOf(full)) + bytes), ...annotationsOf(before) };
}

interface Answer {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly message?: string;
}

/** The records and the image of `a`, or why the pod is refused. */
function outcome({ message, metadata, spec }: Answer): unknown {
  const { note: _, ...records } = metadata.annotations ?? {};
  return message ?? { records, image: spec.containers[0]?.image };
}

function expectedOf({ image, expected }: Row): unknown {
  return { records: annotationsOf(expected), image: image.replace(/^nginx/, 'mirror.example.com/hub/library/nginx') };
}

const podOf = (image: string, metadata: object = {}): PodBody => ({
  metadata: { name: 'web', ...metadata },
  spec: {
    containers: [
      { name: 'a', image },
      { name: 'b', image: 'quay.io/acme/app:1' },
    ],
    automountServiceAccountToken: false,
  },
});

for (const minor of ['1.36', '1.37'])
  test(`Kubernetes ${minor}`, { skip: skipReason({ level: 1, minor }) }, async (t) => {
    const { plane } = await startCluster(t, { emulatedVersion: minor });

    /** @param reinvocationPolicy `Never`: evaluated once */
    const enforced = async (reinvocationPolicy: 'IfNeeded' | 'Never'): Promise<Admission> => {
      const name = `evaluated-${reinvocationPolicy.toLowerCase()}`;
      const { files } = exportAdmissionPolicy(policy, { ...defaults, name, optInValue: name });
      const exported = files[0]?.text ?? '';
      t.match(exported, 'reinvocationPolicy: IfNeeded');
      await applyAll(plane, exported.replace('reinvocationPolicy: IfNeeded', `reinvocationPolicy: ${reinvocationPolicy}`));
      await plane.createNamespace(name, { 'transship.dev/rewrite': name });
      const own = admission(plane, policy, name);
      t.equal(await own.created(podOf(short)), null, `${name} is in force`);
      return own;
    };

    const [twice, once] = [await enforced('IfNeeded'), await enforced('Never')];
    const stored = await twice.store(podOf('quay.io/acme/old:1', { name: 'stored', labels: { 'transship.dev/rewrite': 'disabled' } }));
    await once.store(podOf('quay.io/acme/old:1', { name: 'stored', labels: { 'transship.dev/rewrite': 'disabled' } }));

    const engine = (part: typeof t, row: Row, request: { readonly object: object }): void => {
      const first = patchedByEngine(policy, { namespace: 'shop', ...request });
      part.strictSame(outcome(first as Answer), expectedOf(row), 'the engine');
      part.ok(bytesOf((first as Answer).metadata.annotations ?? {}) <= 256 * 1024, 'the engine stays within the limit');
      part.strictSame(patchedByEngine(policy, { namespace: 'shop', ...request, object: first }), first, 'the engine, called a second time');
    };

    for (const row of rows)
      await t.test(`create: ${row.says}`, async (part) => {
        const pod = podOf(row.image, { annotations: annotated(row) });
        const { body } = await plane.api.send<Answer>('POST', `/api/v1/namespaces/${plain}/pods?dryRun=All`, pod);
        part.equal(body.message, undefined, 'valid as it is');
        engine(part, row, { object: body, operation: 'CREATE' } as { object: object });
        for (const { namespace } of [once, twice]) {
          const created = await plane.api.send<Answer>('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
          part.strictSame(outcome(created.body), expectedOf(row), namespace);
        }
      });

    for (const row of [...rows, ...staleRows])
      await t.test(`update: ${row.says}`, async (part) => {
        const containers = (stored.spec['containers'] as object[]).with(0, { name: 'a', image: row.image });
        const object = {
          ...stored,
          metadata: { ...stored.metadata, labels: {}, annotations: annotated(row) },
          spec: { ...stored.spec, containers },
        };
        engine(part, row, { object, oldObject: stored, operation: 'UPDATE' } as { object: object });
        const patch = { metadata: { labels: null, annotations: annotated(row) }, spec: { containers: [{ name: 'a', image: row.image }] } };
        for (const { namespace } of [once, twice]) {
          const url = `/api/v1/namespaces/${namespace}/pods/stored?dryRun=All`;
          const updated = await plane.api.send<Answer>('PATCH', url, patch, 'application/strategic-merge-patch+json');
          part.strictSame(outcome(updated.body), expectedOf(row), namespace);
        }
      });
  });
