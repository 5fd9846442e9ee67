/** Map files of imageswap. https://github.com/phenixblue/imageswap-webhook/blob/main/README.md#maps-mode, app/imageswap/imageswap.py */
import { dockerHub } from '../image/host.ts';
import { canonicalText, referenceOf } from '../image/reference.ts';
import { parsePattern } from '../rules/pattern.ts';
import { readAddress, type Address } from './address.ts';
import { slug, type Draft, type DraftRule, type DraftTarget } from './draft.ts';
import { ImportError, type SourceText } from './source.ts';

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly fail: (message: string) => never;
}

const exact = '[EXACT]';
const pattern = '[REPLACE]';

export function importImageswap([source]: readonly SourceText[]): Draft {
  const entries = source === undefined ? [] : entriesOf(source);
  const hosts = entries.filter(({ key }) => !isSpecial(key));
  const kept = hosts.filter(({ value }) => value === '').map(({ key }) => key);
  const wildcards = entries.filter(({ key }) => key === 'noswap_wildcards').flatMap(({ value }) => wordsOf(value));
  const ofDefault = entries
    .filter(({ key, value }) => key === 'default' && value !== '')
    .map((entry) => defaultRule(entry, [...kept, ...wildcards.flatMap(hostsWith)]));
  return {
    origin: "imageswap's map file",
    notes: [
      ...(entries.some(({ key }) => key === 'default') ? [] : ['imageswap swaps nothing without a default map; these rules do.']),
      ...(kept.length === 0 ? [] : [`Not swapped: ${kept.join(', ')}.`]),
      ...(wildcards.length === 0
        ? []
        : [`noswap_wildcards are parts of a text there, and whole names of hosts here: ${wildcards.join(', ')}.`]),
      'imageswap keeps names as written: nginx stays without library/. Remove spelling: written where the registry has it.',
    ],
    exclude: [],
    rules: [
      ...entries.filter(({ key }) => key.startsWith(exact)).map(exactRule),
      ...entries.filter(({ key }) => key.startsWith(pattern)).map(patternRule),
      // docker.io/library before docker.io.
      ...hosts
        .filter(({ value }) => value !== '')
        .toSorted((one, other) => other.key.length - one.key.length)
        .map(hostRule),
      ...ofDefault,
    ],
  };
}

const wordsOf = (value: string): string[] => value.split(',').filter((word) => word !== '');
const isSpecial = (key: string): boolean => key === 'default' || key === 'noswap_wildcards' || key.startsWith('[');

function entriesOf(source: SourceText): Entry[] {
  return source.text.split('\n').flatMap((line, index) => {
    const fail = (message: string): never => {
      throw new ImportError(source, { line: index + 1, column: 1 }, message);
    };
    const text = line.replace(/#.*$/, '').replaceAll(/\s/g, '');
    if (text === '') return [];
    const separator = text.includes('::') ? '::' : ':';
    const [key = '', value = '', more] = text.split(separator);
    if (!text.includes(':') || more !== undefined) return fail(`${text}: a map is KEY::VALUE, with one ::`);
    const names = key === 'noswap_wildcards' ? wordsOf(value).flatMap(hostsWith) : isSpecial(key) ? [] : [key];
    for (const name of names) {
      const parsed = parsePattern(name);
      if (!parsed.ok) fail(`${key}: ${parsed.problem}`);
    }
    return [{ key, value, fail }];
  });
}

function exactRule({ key, value, fail }: Entry): DraftRule {
  const image = referenceOf(key.slice(exact.length));
  const target = referenceOf(value);
  if (image === null || target === null) return fail(`${image === null ? key.slice(exact.length) : value} is not an image`);
  return {
    name: slug(`exact-${key.slice(exact.length)}`),
    notes: ['All spellings of the image match here.'],
    images: [canonicalText(image)],
    target: { as: 'image', image: value },
  };
}

/** fnmatch of Python, over the image as written. */
function patternRule({ key, value, fail }: Entry): DraftRule {
  const text = key.slice(pattern.length);
  const address = addressAt(value, fail);
  if (/[[\]]/.test(text)) return fail(`${text}: brackets of a pattern cannot be imported; write a rule with { regex: … }`);
  const regex = `^${text
    .replaceAll(/[.+^${}()|\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.')}$`;
  return {
    name: slug(`replace-${text}`),
    notes: ['The expression sees canonical names here, as docker.io/library/nginx, and names as written there.'],
    images: [{ regex }],
    target: { as: 'flatten', host: address.host, prefix: address.path },
  };
}

function hostRule({ key, value, fail }: Entry): DraftRule {
  const source = addressAt(key, fail);
  const isLibrary = key === `${dockerHub}/library`;
  if (source.path !== '' && !isLibrary && source.path !== 'library') return fail(`${key}: a key is a registry, or a registry and /library`);
  if (value.endsWith('-')) {
    // The name of the registry follows the dash.
    const { host, path } = addressAt(`${value}${source.host}`, fail);
    return { name: slug(key), notes: [], images: [key], target: { as: 'path', host, prefix: path, spelling: 'written' } };
  }
  const { host, path } = addressAt(value, fail);
  const target: DraftTarget = isLibrary ? { as: 'remainder', host, prefix: path } : { as: 'path', host, prefix: path, spelling: 'written' };
  return { name: slug(key), notes: [], images: [key], target };
}

function defaultRule({ value, fail }: Entry, exclude: readonly string[]): DraftRule {
  if (value.endsWith('-')) {
    const { host } = addressAt(`${value}x`, fail);
    const images = [{ regex: '^(?P<host>[^/:]+)/(?P<path>.*)$' }];
    return {
      name: 'default',
      notes: [],
      images,
      exclude: [host, ...exclude],
      target: { as: 'template', template: `${value}\${host}/\${path}` },
      samples: ['nginx:1.27', 'quay.io/acme/app:1.0'],
    };
  }
  const { host, path } = addressAt(value, fail);
  return {
    name: 'default',
    notes: [],
    images: ['*'],
    exclude: [...new Set([host, ...exclude])],
    target: { as: 'path', host, prefix: path, spelling: 'written' },
  };
}

/** `example.com` is a part of itself and of its subdomains. */
function hostsWith(word: string): string[] {
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?$/.test(word) ? [word, `*.${word}`] : [`*${word.replaceAll(/[^a-z0-9.-]/g, '')}*.*`];
}

function addressAt(text: string, fail: Entry['fail']): Address {
  const address = readAddress(text);
  return typeof address === 'string' ? fail(address) : address;
}
