import { test } from 'tap';
import { formatFinding } from '../../src/errors/finding.ts';
import type { ResolvedHosts } from '../../src/rules/registries.ts';
import { parseResolvedHosts } from '../../src/config/resolved-hosts.ts';

test('hosts that the controller resolved', (t) => {
  const table: [string, ResolvedHosts][] = [
    ['', {}],
    ['# none yet\n', {}],
    ['local: localhost:30500\ndev: "[::1]:5001"\n', { local: 'localhost:30500', dev: '[::1]:5001' }],
    ['{}', {}],
    ['{"local": "10.0.0.1:5000"}', { local: '10.0.0.1:5000' }],
    ['harbor: harbor.example.com/mirror\n', { harbor: 'harbor.example.com/mirror' }],
    ['hub:\n  unavailable: true\nlocal: a.io\n', { hub: { unavailable: true }, local: 'a.io' }],
    ['local: { host: localhost:30500, unavailable: true }\n', { local: { host: 'localhost:30500', unavailable: true } }],
  ];
  for (const [text, hosts] of table) t.strictSame(parseResolvedHosts(text, 'hosts.yaml'), { hosts, findings: [] }, JSON.stringify(text));
  t.end();
});

test('a file that cannot be hosts resolves nothing, and says why', (t) => {
  const table: [string, string][] = [
    ['- a\n', 'hosts.yaml:1:1: error: the file maps names of registries to hosts'],
    ['local: 30500\n', 'hosts.yaml:1:1: error: the file maps names of registries to hosts'],
    ['localhost:30500\n', 'hosts.yaml:1:1: error: the file maps names of registries to hosts'],
    ['local:\n', 'hosts.yaml:1:1: error: the file maps names of registries to hosts'],
    ['local: {', 'hosts.yaml:1:'],
    ['local: localhost:30500/', 'hosts.yaml:1:8: error: host of registry local: write it without the slash at its end'],
    // Node printed a warning about the conversion of such keys.
    ['? [a]\n: b.io\n', 'hosts.yaml:1:3: error: a key must be plain text'],
    ['local: *nothing\n', 'hosts.yaml:1:8: error: *nothing is an alias without an anchor'],
    ['local: localhost:30500\nlocal: b.io\n', 'hosts.yaml:'],
    ['a: a.io\nlocal: http://localhost:30500\n', 'hosts.yaml:2:8: error: host of registry local: write the host without a scheme'],
    ['local: { unavailable: false }\n', 'hosts.yaml:1:1: error: the file maps names of registries to hosts'],
    ['local: { host: a.io }\n', 'hosts.yaml:1:1: error: the file maps names of registries to hosts'],
    ['local: { unavailable: true, until: 3 }\n', 'hosts.yaml:1:1: error: the file maps names of registries to hosts'],
    ['a:\n  unavailable: true\n  host: b.io/\n', 'hosts.yaml:3:9: error: host of registry a: write it without the slash'],
    ['local: team\n', 'hosts.yaml:1:8: error: host of registry local: team looks like a path'],
  ];
  for (const [text, words] of table) {
    const { hosts, findings } = parseResolvedHosts(text, 'hosts.yaml');
    t.strictSame(hosts, {}, text);
    t.equal(findings.length, 1, text);
    t.ok(findings.map(formatFinding).join().startsWith(words), `${text}: ${findings.map(formatFinding).join()}`);
  }
  t.end();
});

test('__proto__ is no way to the prototype', (t) => {
  const { hosts } = parseResolvedHosts('__proto__: a.example.com', 'hosts.yaml');
  t.equal(Object.getPrototypeOf(hosts), Object.prototype);
  t.end();
});
