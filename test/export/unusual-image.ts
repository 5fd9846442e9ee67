/** Images whose spelling is valid and rare, and texts that are nearly images. */
import * as fc from '../random/fast-check.ts';

/** As people write them; empty for none. */
export const hosts = [
  '',
  'docker.io',
  'Docker.IO',
  'index.docker.io',
  'registry-1.docker.io',
  'docker.io:443',
  'localhost',
  'localhost:5000',
  'LOCALHOST',
  'REG',
  'reg:5000',
  'quay.io',
  'Quay.IO',
  'quay.io:443',
  'mirror.example',
  'Mirror.Example:5000',
  'mirror.example:50000',
  '[::1]',
  '[::1]:5000',
  '[2001:db8::1]:5000',
  '[2001:DB8::1]:5000',
  'a--b.example:65535',
  'xn--e1afmkfd.example',
  '10.0.0.1:5000',
  '1.2',
] as const;

export const paths = [
  'nginx',
  'library/nginx',
  'app',
  'acme/app',
  'acme',
  'acme/team/app',
  'acme/app/x',
  'x/y/z',
  'a__b/c--d.e',
  'localhost/app',
  '0',
  `${'l'.repeat(60)}/${'o'.repeat(60)}`,
] as const;

const sha256 = `sha256:${'0a'.repeat(32)}`;
const sha512 = `sha512:${'1b'.repeat(64)}`;
export const suffixes = [
  ':1',
  ':latest',
  ':T_t.t-t',
  ':5000',
  `:${'t'.repeat(128)}`,
  `@${sha256}`,
  `@sha384:${'2c'.repeat(48)}`,
  `@${sha512}`,
  `:1@${sha256}`,
  `:${'t'.repeat(128)}@${sha512}`,
] as const;

export const reference: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...hosts), fc.constantFrom(...paths), fc.constantFrom('', '', '', ...suffixes))
  .map(([host, path, suffix]) => `${host}${host === '' ? '' : '/'}${path}${suffix}`);

/** At the limits of names: 255 characters of a path, 1,024 of the whole. */
const long = fc
  .tuple(
    fc.constantFrom('', 'quay.io/', 'docker.io/', 'foo_bar.baz/', `${'h'.repeat(200)}.example/`, `${'H'.repeat(245)}:5000/`),
    fc.integer({ min: 235, max: 258 }),
    fc.constantFrom('', ...suffixes),
  )
  .map(([host, length, suffix]) => `${host}${'p'.repeat(length)}${suffix}`);

const almost = [
  'scratch',
  ' nginx',
  'nginx ',
  'nginx\n',
  '\tnginx',
  '@',
  'nginx@',
  'nginx@sha256',
  'nginx@sha256:',
  `nginx@sha256:${'0A'.repeat(32)}`,
  `nginx@sha256:${'0a'.repeat(31)}`,
  `nginx@sha512:${'0a'.repeat(32)}`,
  `nginx@sha256+b64u:${'0a'.repeat(32)}`,
  `nginx@Sha256:${'0a'.repeat(32)}`,
  `nginx@sha256:${'0a'.repeat(32)}:1`,
  `nginx:1@sha256:${'0a'.repeat(32)}@sha256:${'0a'.repeat(32)}`,
  'nginx:1:2',
  'quay.io//app',
  '/nginx',
  'nginx/',
  'quay.io/',
  'quay.io:/app',
  'quay.io:x/app',
  'quay.io:443',
  '[::1]',
  '[::1',
  '[::g]/app',
  '[fe80::1%eth0]/app',
  'quay..io/app',
  '-quay.io/app',
  'quay-.io/app',
  'quay.io-/app',
  'a/-b',
  'a/b-',
  'a/b..c',
  'a/b___c',
  'a/b._c',
  'a/b---c',
  'Nginx',
  'quay.io/Acme/app',
  'REG',
  'docKer.io/app',
  'ｎginx',
  'nginx:ⅷ',
  'nginx\u0000',
  'ſ/nginx',
  'a\u2028b',
  '🚢',
  'docker://nginx',
  '{{ .Values.image }}',
  'abcdef0123456789'.repeat(4),
  `${'abcdef0123456789'.repeat(4)}:1`,
  `docker.io/${'abcdef0123456789'.repeat(4)}`,
  'sha256:' + 'abcdef0123456789'.repeat(4),
  `${'a/'.repeat(512)}a`,
  `quay.io/${'a/'.repeat(127)}a`,
] as const;

/** Validation refuses a pod with one of these, whoever decides about it. */
const isRefused = (image: string): boolean => image.trim() !== image;

export const unusualImage = fc.oneof(
  { weight: 12, arbitrary: reference },
  { weight: 1, arbitrary: long },
  { weight: 2, arbitrary: fc.constantFrom(...almost.filter((image) => !isRefused(image))) },
);
