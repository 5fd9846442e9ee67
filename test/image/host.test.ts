import { test } from 'tap';
import { comparableHost, isHost, withoutPort } from '../../src/image/host.ts';

test('what makes the first component a host', (t) => {
  const table: [string, boolean][] = [
    ['localhost', true],
    ['quay.io', true],
    ['mirror:5000', true],
    ['[::1]', true],
    ['Mirror', true],
    ['LOCALHOST', true],
    ['library', false],
    ['local-host', false],
    ['team_a', false],
    ['', false],
  ];
  for (const [component, expected] of table) t.equal(isHost(component), expected, JSON.stringify(component));
  t.end();
});

test('the form in which hosts are compared', (t) => {
  const table: [string, string][] = [
    ['docker.io', 'docker.io'],
    ['Docker.IO', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['INDEX.docker.io', 'docker.io'],
    // Only the two spellings that the grammar knows: this one is a registry of its own for a container runtime.
    ['registry-1.docker.io', 'registry-1.docker.io'],
    ['docker.io:443', 'docker.io:443'],
    ['Quay.IO:8443', 'quay.io:8443'],
  ];
  for (const [host, expected] of table) t.equal(comparableHost(host), expected, host);
  t.end();
});

test('a host without its port', (t) => {
  const table: [string, string][] = [
    ['quay.io', 'quay.io'],
    ['localhost:5000', 'localhost'],
    ['[::1]', '[::1]'],
    ['[::1]:5000', '[::1]'],
    ['10.0.0.7:80', '10.0.0.7'],
  ];
  for (const [host, expected] of table) t.equal(withoutPort(host), expected, host);
  t.end();
});
