/** What the runtimes' own readers of a file pull is what the imported policy makes of an image, or a comment says what differs. */
import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import tap, { test } from 'tap';
import { referenceOf } from '../../src/image/reference.ts';
import { ImportError } from '../../src/import/source.ts';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { skipWithout } from '../cluster/binaries.ts';
import { containerdReader, crioReader, pulledName, type Pull, type Reader } from '../export/readers.ts';
import { comments, imagesOf, imported, type Imported } from './imported.ts';

tap.setTimeout(120_000);

type Files = Readonly<Record<string, string>>;

interface Format {
  readonly reader: Reader;
  readonly files: fc.Arbitrary<Files>;
}

const addresses = [
  'm.example',
  'm.example/hub',
  'm.example:5000',
  'm.example:5000/x/y',
  'quay.io',
  'quay.io/acme',
  'docker.io',
  'localhost:5000',
  'reg.example:8443',
] as const;
const quoted = (text: string): string => JSON.stringify(text);
const line = (key: string, value: unknown): string => (value === undefined ? '' : `${key} = ${JSON.stringify(value)}\n`);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const capabilities = fc.constantFrom([], ['pull', 'resolve'], ['pull', 'resolve', 'push'], ['Pull', 'Resolve'], ['push'], ['pull']);
const url = fc.oneof(
  fc.constantFrom(...addresses).map((address) => `https://${address.replace('/', '/v2/').replace('docker.io', 'registry-1.docker.io')}`),
  fc.constantFrom(
    'm.example',
    'https://m.example/v2/',
    'http://m.example:5000/v2/a/../b',
    'https://m.example/hub',
    'http://localhost:5000',
  ),
);
const settings = fc.record({
  capabilities: maybe(capabilities),
  override_path: maybe(fc.boolean()),
  skip_verify: maybe(fc.constant(true)),
});
const settingsText = (value: object): string =>
  Object.entries(value)
    .map(([key, entry]) => line(key, entry))
    .join('');

const hostsFile = fc
  .record({
    server: maybe(url),
    root: settings,
    hosts: fc.uniqueArray(fc.tuple(url, settings), { maxLength: 3, selector: ([name]) => name }),
  })
  .map(
    ({ server, root, hosts }) =>
      line('server', server) + settingsText(root) + hosts.map(([name, each]) => `[host.${quoted(name)}]\n${settingsText(each)}`).join(''),
  );
const folder = fc.constantFrom('docker.io', 'quay.io', 'reg.example_8443_', 'reg.example:8443', 'm.example', '_default', 'index.docker.io');

const location = fc.constantFrom(...addresses);
const prefix = fc.constantFrom(
  'docker.io',
  'quay.io',
  'quay.io/acme',
  'docker.io/library',
  '*.example',
  'm.example',
  'm.example/hub',
  '*.io/acme',
);
const registry = fc
  .record({
    prefix: maybe(prefix),
    location: maybe(location),
    blocked: fc.constantFrom(undefined, undefined, true),
    'mirror-by-digest-only': fc.constantFrom(undefined, undefined, true),
    mirrors: fc.array(
      fc.record({ location, 'pull-from-mirror': fc.constantFrom(undefined, undefined, 'all', 'digest-only', 'tag-only') }),
      {
        maxLength: 2,
      },
    ),
  })
  .map(
    ({ mirrors, ...own }) =>
      `[[registry]]\n${settingsText(own)}${mirrors.map((mirror) => `[[registry.mirror]]\n${settingsText(mirror)}`).join('')}`,
  );

const formats: Readonly<Record<string, Format>> = {
  containerd: {
    reader: containerdReader,
    files: fc
      .uniqueArray(fc.tuple(folder, hostsFile), { minLength: 1, maxLength: 3, selector: ([name]) => name })
      .map((files) => Object.fromEntries(files.map(([name, text]) => [`${name}/hosts.toml`, text]))),
  },
  crio: {
    reader: crioReader,
    files: fc
      .array(registry, { minLength: 1, maxLength: 4 })
      .map((texts) => ({ 'registries.conf': `unqualified-search-registries = ["docker.io"]\n${texts.join('')}` })),
  },
};

const digest = `@sha256:${'0a'.repeat(32)}`;
const images = [
  'nginx:1',
  'acme/app:1',
  'quay.io/acme/app:1',
  'quay.io/other/app:1',
  'reg.example:8443/acme/app:1',
  'm.example/acme/app:1',
  'm.example/hub/acme/app:1',
  'a.example/acme/app:1',
  'gcr.io/acme/app:1',
].flatMap((image) => [image, image.replace(':1', digest)]);

/** Comments that say that only some pulls ask a place there. */
const partly = /for digests only|with a digest there|is for pulls by/;

function check(made: Imported, image: string, pull: Pull): 'equal' | 'named' {
  const said = comments(made);
  const places = imagesOf(made, image).map((text) => nameOf(text));
  if (/:\d+\//.test(image) && /every host with a port there/.test(said)) return 'named';
  if ('error' in pull && /must be canonical|invalid reference format/.test(pull.error)) return 'named';
  if ('error' in pull) {
    assert.match(said, /blocked there|for digests only/, `${image}: ${pull.error}\n${made.text}`);
    return 'named';
  }
  const pulled = pull.places.map(({ name }) => name);
  if (pulled.join(' ') === [...new Set(places)].join(' ')) return 'equal';
  if (/only after the registry itself are left out/.test(said) && (pulled[0] === places[0] || partly.test(said))) return 'named';
  if (partly.test(said) && pulled.every((name) => places.includes(name))) return 'named';
  assert.match(said, leftAlone(image), `${image} is ${pulled.join(', ')} there, and ${places.join(', ')} here\n${made.text}`);
  return 'named';
}

/** That images are left alone since a rule writes to where they are. */
const leftAlone = (image: string): RegExp => new RegExp(`left alone[^\\n]*: [^\\n]*${nameOf(image).split('/')[0]?.replaceAll('.', '[.]')}`);

function nameOf(text: string): string {
  const reference = referenceOf(text);
  assert.ok(reference !== null, text);
  return pulledName(reference);
}

function importedOrRefused(format: string, files: Files): Imported | null {
  try {
    return imported(format, files);
  } catch (error) {
    assert.ok(error instanceof ImportError || error instanceof OperatorError, String(error));
    return null;
  }
}

for (const [name, { reader, files }] of Object.entries(formats))
  test(`${name}: random files`, { skip: skipWithout(reader.program) }, (t) => {
    const counts = { equal: 0, named: 0, refused: 0 };
    const property = fc.property(fc.array(files, { minLength: 100, maxLength: 100 }), (cases) => {
      const answers = reader.ask(cases.map((texts) => ({ files: Object.entries(texts).map(([path, text]) => ({ path, text })), images })));
      for (const [index, texts] of cases.entries()) {
        const made = importedOrRefused(name, texts);
        const { pulls = [], error = 'no answer' } = answers[index] ?? {};
        if (made === null || error !== '') {
          assert.equal(made, null, `${error}\n${JSON.stringify(texts)}`);
          counts.refused += 1;
          continue;
        }
        for (const [entry, image] of images.entries()) {
          try {
            counts[check(made, image, pulls[entry] ?? { error: 'no answer' })] += 1;
          } catch (cause) {
            throw new Error(`${cause instanceof Error ? cause.message : String(cause)}\n${Object.entries(texts).join('\n')}`, { cause });
          }
        }
      }
    });
    fc.assert(property, { numRuns: 5, endOnFailure: true });
    t.comment(JSON.stringify(counts));
    t.ok(counts.equal > 1000 && counts.refused < 400, 'most are alike');
    t.end();
  });
