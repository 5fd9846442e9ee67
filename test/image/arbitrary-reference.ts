/** Random image references with the parts they were made of, for property tests. */
import * as fc from '../random/fast-check.ts';

export interface WrittenReference {
  /** Null where the name is written without a host. */
  readonly host: string | null;
  readonly path: string;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly text: string;
}

function characters(from: string, minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...from.split('')), minLength, maxLength });
}

const lower = 'abcxyz019';
const alphanumeric = characters(lower, 1, 6);
const separator = fc.constantFrom('.', '_', '__', '-', '--', '----');

export const component: fc.Arbitrary<string> = fc
  .tuple(alphanumeric, fc.array(fc.tuple(separator, alphanumeric), { maxLength: 2 }))
  .map(([first, rest]) => first + rest.map(([between, word]) => between + word).join(''));

const label = fc.tuple(characters(`${lower}AZ`, 1, 5), fc.constantFrom('', '-x', '--9')).map(([start, end]) => start + end);
const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: null });

const dottedHost = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
const plainHost = fc.constantFrom(
  'localhost',
  'docker.io',
  'index.docker.io',
  'quay.io',
  'gcr.io',
  'Quay.IO',
  '[::1]',
  '[2001:DB8::7]',
  '10.0.0.7',
);

export const host: fc.Arbitrary<string> = fc
  .tuple(fc.oneof(dottedHost, plainHost), port)
  .map(([name, number]) => (number === null ? name : `${name}:${number}`));

export const tag: fc.Arbitrary<string> = fc
  .tuple(characters('aZ0_', 1, 1), characters('aZ0_.-', 0, 12))
  .map(([first, rest]) => first + rest);

const hexadecimal = '0123456789abcdef';
export const digest: fc.Arbitrary<string> = fc.oneof(
  characters(hexadecimal, 64, 64).map((hex) => `sha256:${hex}`),
  characters(hexadecimal, 128, 128).map((hex) => `sha512:${hex}`),
);

export const writtenReference: fc.Arbitrary<WrittenReference> = fc
  .record({
    host: fc.option(host, { nil: null, freq: 3 }),
    components: fc.array(component, { minLength: 1, maxLength: 4 }),
    tag: fc.option(tag, { nil: null }),
    digest: fc.option(digest, { nil: null }),
  })
  // Without a host, a first component that looks like one would be read as one.
  .filter(({ host: written, components }) => written !== null || components.length === 1 || !/[.]|^localhost$/.test(components[0] ?? ''))
  .map(({ host: written, components, tag: writtenTag, digest: writtenDigest }) => {
    const path = components.join('/');
    const name = written === null ? path : `${written}/${path}`;
    const text = `${name}${writtenTag === null ? '' : `:${writtenTag}`}${writtenDigest === null ? '' : `@${writtenDigest}`}`;
    return { host: written, path, tag: writtenTag, digest: writtenDigest, text };
  });
