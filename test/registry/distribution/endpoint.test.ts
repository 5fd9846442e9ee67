import { test } from 'tap';
import { parseReference, type Reference } from '../../../src/image/reference.ts';
import { baseUrl, manifestUrl, registryOrigin } from '../../../src/registry/distribution/endpoint.ts';
import { parseRetryAfter } from '../../../src/registry/distribution/retry-after.ts';

function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.reference;
}

const sha256 = `sha256:${'a1'.repeat(32)}`;
const sha512 = `sha512:${'b2'.repeat(64)}`;

const urls: Readonly<Record<string, string>> = {
  nginx: 'https://registry-1.docker.io/v2/library/nginx/manifests/latest',
  'nginx:1.27': 'https://registry-1.docker.io/v2/library/nginx/manifests/1.27',
  'index.docker.io/acme/app:1': 'https://registry-1.docker.io/v2/acme/app/manifests/1',
  'quay.io/acme/app:1': 'https://quay.io/v2/acme/app/manifests/1',
  [`quay.io/acme/app@${sha256}`]: `https://quay.io/v2/acme/app/manifests/${sha256}`,
  [`quay.io/acme/app:1@${sha512}`]: `https://quay.io/v2/acme/app/manifests/${sha512}`,
  'Registry.Example.com/a/b/c:1': 'https://registry.example.com/v2/a/b/c/manifests/1',
  'registry.example.com:5000/app:1': 'https://registry.example.com:5000/v2/app/manifests/1',
  'registry.example.com:443/app:1': 'https://registry.example.com/v2/app/manifests/1',
  'registry.example.com:80/app:1': 'https://registry.example.com:80/v2/app/manifests/1',
  'localhost:5000/app:1': 'http://localhost:5000/v2/app/manifests/1',
  'localhost/app:1': 'https://localhost/v2/app/manifests/1',
  'localhost:443/app:1': 'https://localhost/v2/app/manifests/1',
  '127.0.0.1:5000/app:1': 'http://127.0.0.1:5000/v2/app/manifests/1',
  '127.1.2.3:80/app:1': 'http://127.1.2.3/v2/app/manifests/1',
  '127.example.com:5000/app:1': 'https://127.example.com:5000/v2/app/manifests/1',
  'localhost.example.com:5000/app:1': 'https://localhost.example.com:5000/v2/app/manifests/1',
  '10.0.0.7:5000/app:1': 'https://10.0.0.7:5000/v2/app/manifests/1',
  '[::1]:5000/app:1': 'http://[::1]:5000/v2/app/manifests/1',
  '[fd00::7]/app:1': 'https://[fd00::7]/v2/app/manifests/1',
  '[fd00::7]:5000/app:1': 'https://[fd00::7]:5000/v2/app/manifests/1',
};

for (const [image, url] of Object.entries(urls))
  test(image, (t) => {
    const parsed = reference(image);
    t.equal(manifestUrl(registryOrigin(parsed.host), parsed).href, url);
    t.equal(baseUrl(registryOrigin(parsed.host)).href, `${new URL(url).origin}/v2/`);
    t.end();
  });

const now = Date.parse('2026-11-28T00:00:00Z');
const retries: readonly (readonly [string | string[] | undefined, number | null])[] = [
  [undefined, null],
  ['', null],
  ['0', 0],
  ['30', 30_000],
  [' 30 ', 30_000],
  [['5', '6'], 5_000],
  ['Sat, 28 Nov 2026 00:01:00 GMT', 60_000],
  ['Fri, 27 Nov 2026 00:00:00 GMT', 0],
  ['-1', null],
  ['1.5', null],
  ['2026', 2_026_000],
  ['soon', null],
  ['Sat, 99 Nov 2026 00:01:00 GMT', null],
  ['9999999999', null],
];

test('Retry-After', (t) => {
  for (const [header, expected] of retries) t.equal(parseRetryAfter(header, now), expected, String(header));
  t.end();
});
