import { test } from 'tap';
import { addressProblem, isUnder, repositoryPrefix, resolveRegistry, type ResolvedHosts } from '../../src/rules/registries.ts';
import { referenceOf } from '../image/parsed.ts';

test('addresses that nodes can pull from', (t) => {
  for (const address of [
    'localhost',
    'localhost:30500',
    'proxy.replicated.com',
    'harbor.example.com/mirror',
    'harbor.example.com:8443/a/b-c',
    '[::1]:5000',
    '10.0.0.7:5000',
    'mirror:5000',
    'docker.io',
    'docker.io/acme',
    'Quay.IO',
  ]) {
    t.equal(addressProblem(address), null, address);
  }
  t.end();
});

test('addresses that are refused say what to write', (t) => {
  const table: [string, string][] = [
    ['https://harbor.example.com', 'without a scheme: harbor.example.com'],
    ['harbor.example.com/', 'without the slash at its end: harbor.example.com'],
    ['harbor.example.com/a//', 'without the slash at its end: harbor.example.com/a'],
    ['harbor', 'harbor looks like a path'],
    ['mirror/gitpod', 'mirror looks like a path'],
    ['foo/bar/baz', 'foo looks like a path'],
    ['', 'looks like a path'],
    ['harbor.example.com/Mirror', 'lower case'],
    ['harbor.example.com:port', 'not a host'],
    ['-harbor.example.com', 'not a host'],
    ['[fe80::1%eth0]:5000', 'not a host'],
    ['harbor.example.com/a:1', 'not a host'],
    ['harbor.example.com/{{ .Values.project }}', 'not a host'],
  ];
  for (const [address, words] of table) t.match(addressProblem(address), words, address);
  t.end();
});

test('whether an image is at a place or under it', (t) => {
  const table: [string, string, boolean][] = [
    ['gcr.io', 'gcr.io/foo', true],
    ['gcr.io', 'gcr.io:443/foo', false],
    ['gcr.io/foo', 'gcr.io/foo', true],
    ['gcr.io/foo', 'gcr.io/foo/bar', true],
    ['gcr.io/foo', 'gcr.io/foobar', false],
    ['gcr.io/foo', 'gcr.io/fo', false],
    ['GCR.io/foo', 'gcr.IO/foo/bar', true],
    ['myreg.com', 'myreg.com.evil.io/x', false],
    ['docker.io/library', 'nginx', true],
    ['index.docker.io', 'nginx', true],
  ];
  for (const [address, image, expected] of table)
    t.equal(isUnder(repositoryPrefix(address), referenceOf(image)), expected, `${image} under ${address}`);
  t.end();
});

test('where the address of a registry comes from', (t) => {
  const hostFrom = { localRegistryHosting: true as const };
  const secret = { pullSecrets: ['s'], verify: false };
  const table: [string, Parameters<typeof resolveRegistry>[1], ResolvedHosts, string | null][] = [
    ['written', { ...secret, host: 'a.example' }, {}, 'a.example'],
    ['written, and a resolved host of that name is not asked for', { ...secret, host: 'a.example' }, { dev: 'b.example' }, 'a.example'],
    ['not resolved yet', { ...secret, hostFrom }, {}, null],
    ['resolved', { ...secret, hostFrom }, { dev: 'b.example' }, 'b.example'],
    ['fallback', { ...secret, host: 'a.example', hostFrom }, { other: 'b.example' }, 'a.example'],
    ['unavailable', { ...secret, host: 'a.example' }, { dev: { unavailable: true } }, 'a.example'],
    ['unavailable, with a host', { ...secret, hostFrom }, { dev: { host: 'b.example', unavailable: true } }, 'b.example'],
    ['resolved before the fallback', { ...secret, host: 'a.example', hostFrom }, { dev: 'b.example' }, 'b.example'],
  ];
  for (const [title, policy, hosts, address] of table)
    t.strictSame(
      resolveRegistry('dev', policy, hosts),
      {
        name: 'dev',
        address,
        awaitsHost: ['not resolved yet', 'fallback'].includes(title),
        isUnavailable: typeof hosts['dev'] === 'object',
        pullSecrets: ['s'],
      },
      title,
    );
  t.equal(resolveRegistry('constructor', { ...secret, hostFrom }, {}).address, null, 'an inherited property is no host');
  t.end();
});
