import { test } from 'tap';
import { formatFinding } from '../../src/errors/finding.ts';
import type { ResolvedHosts } from '../../src/rules/registries.ts';
import { parseResolvedHosts, unusedHosts } from '../../src/config/resolved-hosts.ts';

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
    ['local: 30500\n', 'hosts.yaml:1:8: error: registry local: write its host as text'],
    ['localhost:30500\n', 'hosts.yaml:1:1: error: the file maps names of registries to hosts'],
    ['local:\n', 'hosts.yaml:1:7: error: registry local: write its host as text'],
    ['local: {', 'hosts.yaml:1:'],
    ['local: localhost:30500/', 'hosts.yaml:1:8: error: host of registry local: write it without the slash at its end'],
    // Node printed a warning about the conversion of such keys.
    ['? [a]\n: b.io\n', 'hosts.yaml:1:3: error: a key must be plain text'],
    ['local: *nothing\n', 'hosts.yaml:1:8: error: *nothing is an alias without an anchor'],
    ['local: localhost:30500\nlocal: b.io\n', 'hosts.yaml:'],
    ['a: a.io\nlocal: http://localhost:30500\n', 'hosts.yaml:2:8: error: host of registry local: write the host without a scheme'],
    ['local: { unavailable: false }\n', 'hosts.yaml:1:8: error: registry local: write its host as text'],
    ['a: a.io\nlocal: { host: a.io }\n', 'hosts.yaml:2:8: error: registry local: write its host as text'],
    ['local: { unavailable: true, until: 3 }\n', 'hosts.yaml:1:8: error: registry local: write its host as text'],
    ['apiVersion: v1\nkind: ConfigMap\ndata: { hosts.yaml: "" }\n', 'hosts.yaml:2:7: error: this is a whole ConfigMap'],
    [`a: ${'a'.repeat(1_048_576)}.io`, 'hosts.yaml:1:1: error: the file has more than 1 MiB'],
    ['a:\n  unavailable: true\n  host: b.io/\n', 'hosts.yaml:3:9: error: host of registry a: write it without the slash'],
    ['local: team\n', 'hosts.yaml:1:8: error: host of registry local: team looks like a path'],
  ];
  for (const [text, words] of table) {
    const { hosts, findings } = parseResolvedHosts(text, 'hosts.yaml');
    t.strictSame(hosts, {}, text.slice(0, 80));
    t.equal(findings.length, 1, text.slice(0, 80));
    t.ok(findings.map(formatFinding).join().startsWith(words), `${text.slice(0, 80)}: ${findings.map(formatFinding).join()}`);
  }
  t.end();
});

test('__proto__ is no way to the prototype', (t) => {
  const { hosts } = parseResolvedHosts('__proto__: a.example.com', 'hosts.yaml');
  t.equal(Object.getPrototypeOf(hosts), Object.prototype);
  t.end();
});

test('a registry that the policy does not have was passed over in silence', (t) => {
  const policy = { registries: { mirror: { host: 'a.io', pullSecrets: [], verify: false, probe: false } } };
  const text = 'mirror: { unavailable: true }\nmiror: { unavailable: true }\nother: b.io\n';
  t.strictSame(unusedHosts(parseResolvedHosts(text, 'hosts.yaml').hosts, { text, name: 'hosts.yaml' }, policy).map(formatFinding), [
    'hosts.yaml:2:8: warning: the policy has no registry miror; did you mean mirror?',
    'hosts.yaml:3:8: warning: the policy has no registry other; it has no effect',
  ]);
  t.end();
});
