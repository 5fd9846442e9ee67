import { test } from 'tap';
import { formatFinding } from '../../src/errors/finding.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { decideImage } from '../../src/rules/decide.ts';

const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';

function findings(text: string): string[] {
  return loadPolicy(text, 'policy.yaml').findings.map(formatFinding);
}

/** One finding, at this line and column, with these words. */
type Row = readonly [title: string, text: string, place: string, words: string];

const syntax: Row[] = [
  ['an empty file', '', '1:1', 'the file is empty; it needs at least apiVersion and kind'],
  ['only comments', '# nothing\n', '1:1', 'the file is empty'],
  ['a list', '- a\n', '1:1', 'the policy is a list, not a map; it needs at least apiVersion and kind'],
  ['a text', 'hello\n', '1:1', 'the policy is the text "hello", not a map; it needs at least apiVersion and kind'],
  // What helm's --set makes of a path; the message was that an object is expected.
  ['the name of a file', 'policy.yaml\n', '1:1', 'the policy is the text "policy.yaml", not a map; with helm use --set-file and not --set'],
  ['null', 'null\n', '1:1', 'the policy has no value; it needs at least apiVersion and kind'],
  ['a key twice', `${head}rules: []\nrules: []\n`, '4:1', 'occurs twice'],
  ['a registry twice', `${head}registries:\n  a: { host: a.io }\n  a: { host: b.io }\n`, '5:3', 'occurs twice'],
  ['two documents', `${head}---\n${head}`, '3:1', 'one document'],
  ['a tab', `${head}rules:\n\t- x\n`, '4:1', 'the line begins with a tab; YAML requires spaces'],
  ['an unfinished list', `${head}rules: [`, '3:9', ']'],
  ['a star unquoted', `${head}exclude: { images: [*] }\n`, '3:21', "quoted: '*'"],
  ['a star at the start, unquoted', `${head}exclude:\n  images:\n    - *.example.com\n`, '5:7', "of a value: '*.example.com'"],
  ['a key that is a list', `${head}? [a]\n: b\n`, '3:3', 'plain text'],
  ['a key that would be dropped', `${head}__proto__: { x: 1 }\n`, '3:1', '__proto__'],
  // It was dropped in silence, which left the rule without its condition.
  ['a label that would be dropped', `${head}rules:\n  - match: { images: ['*'], podLabels: { __proto__: x } }\n`, '4:42', '__proto__'],
  ['nesting without end', `${head}rules: ${'['.repeat(3000)}${']'.repeat(3000)}`, '', 'nested too deeply'],
];

const schema: Row[] = [
  ['another version', 'apiVersion: v2\nkind: RewritePolicy\n', '1:13', 'apiVersion is "v2"; write apiVersion: transship.dev/v1'],
  [
    'a newer version, of which nobody could see what to do',
    'apiVersion: transship.dev/v2\nkind: RewritePolicy\n',
    '1:13',
    'apiVersion is "transship.dev/v2"; write apiVersion: transship.dev/v1, or use the release of transship that reads it',
  ],
  ['another kind', 'apiVersion: transship.dev/v1\nkind: Policy\n', '2:7', 'kind is "Policy"; write kind: RewritePolicy'],
  ['no kind', 'apiVersion: transship.dev/v1\n', '1:1', 'kind is missing; write kind: RewritePolicy'],
  ['no apiVersion', 'kind: RewritePolicy\n', '1:1', 'apiVersion is missing; write apiVersion: transship.dev/v1'],
  ['an unknown section', `${head}rule: []\n`, '3:1', 'unknown key rule; did you mean rules?'],
  ['an unknown section like none', `${head}zebra: 1\n`, '3:1', 'known keys here are apiVersion, kind, registries'],
  [
    'a key in a rule',
    `${head}rules:\n  - name: x\n    match: { images: ['*'] }\n    rewrit: {}\n`,
    '6:5',
    'rule x: unknown key rewrit; did you mean rewrite?',
  ],
  [
    'a key in a transform',
    `${head}rules:\n  - match: { images: ['*'] }\n    rewrite: { registry: a, as: path, speling: written }\n`,
    '5:39',
    'rule rule-1: unknown key speling; did you mean spelling?',
  ],
  [
    'a key of another transform',
    `${head}rules:\n  - match: { images: ['*'] }\n    rewrite: { registry: a, as: flatten, spelling: written }\n`,
    '5:42',
    'unknown key spelling',
  ],
  ['a merge key', `${head}registries:\n  a: { host: a.io, '<<': {} }\n`, '4:20', 'unknown key <<'],
  [
    'no such transform',
    `${head}rules:\n  - match: { images: ['*'] }\n    rewrite: { registry: a, as: pth }\n`,
    '5:33',
    'rule rule-1: as: pth is unknown; did you mean path?',
  ],
  [
    'a transform in another spelling',
    `${head}rules:\n  - match: { images: ['*'] }\n    rewrite: { registry: a, as: full-name }\n`,
    '5:33',
    'as: full-name is unknown; did you mean fullName?',
  ],
  [
    'a transform like none',
    `${head}rules:\n  - match: { images: ['*'] }\n    rewrite: { registry: a, as: mirror }\n`,
    '5:33',
    'as: mirror is unknown; it is one of path, fullName, flatten',
  ],
  [
    'a transform that is a list',
    `${head}rules:\n  - match: { images: ['*'] }\n    rewrite: { registry: a, as: [path] }\n`,
    '5:33',
    'as is one word of path, fullName',
  ],
  [
    'no transform',
    `${head}rules:\n  - match: { images: ['*'] }\n    rewrite: { registry: a }\n`,
    '5:14',
    'rewrite needs as: one of path (HOST/prefix/path), fullName (HOST/',
  ],
  [
    'no registry',
    `${head}rules:\n  - match: { images: ['*'] }\n    rewrite: { as: flatten }\n`,
    '5:14',
    'rewrite.registry is missing; it must be text',
  ],
  ['no match', `${head}rules:\n  - name: x\n`, '4:5', 'rule x: match is missing; it must be a map'],
  ['no images', `${head}rules:\n  - match: { images: [] }\n`, '4:22', 'at least one pattern'],
  ['no namespaces', `${head}rules:\n  - match: { images: ['*'], namespaces: [] }\n`, '4:41', 'leave namespaces out'],
  ['a pattern of no kind', `${head}exclude: { images: [{ regexp: x }] }\n`, '3:21', 'a pattern is a name such as'],
  ['rules as a map', `${head}rules: { a: 1 }\n`, '3:8', 'rules must be a list, not a map'],
  [
    'a host that is a number',
    `${head}registries: { a: { host: 5000 } }\n`,
    '3:26',
    "is text, and 5000 is a number in YAML; write it in quotes: '5000'",
  ],
  ['a registry without a host', `${head}registries: { a: {} }\n`, '3:18', 'needs host or hostFrom'],
  ['half a hostFrom', `${head}registries: { a: { hostFrom: { service: { name: x } } } }\n`, '3:30', 'hostFrom is { service:'],
  ['a port that is none', `${head}registries: { a: { hostFrom: { service: { namespace: n, name: x, port: 0 } } } }\n`, '3:72', 'Too small'],
  [
    'a Secret with a bad name',
    `${head}registries: { a: { host: a.io, pullSecrets: [ok, Not_Valid] } }\n`,
    '3:50',
    'lower-case DNS subdomain',
  ],
  [
    'credentials without a Secret',
    `${head}registries: { a: { host: a.io, credentials: { secret: x } } }\n`,
    '3:45',
    'name at least one in pullSecrets',
  ],
  [
    'credentials of no kind',
    `${head}registries: { a: { host: a.io, pullSecrets: [x], credentials: { provider: quay } } }\n`,
    '3:63',
    'credentials is { secret: NAME }',
  ],
  ['namespaces without credentials', `${head}registries: { a: { host: a.io, namespaces: [x] } }\n`, '3:44', 'it needs credentials'],
  [
    'a prefix with slashes at its ends',
    `${head}registries: { a: { host: a.io } }\nrules: [{ match: { images: [b.io] }, rewrite: { registry: a, as: path, prefix: /x/ } }]\n`,
    '4:80',
    'no slash at an end',
  ],
  [
    'a pull policy in lower case',
    `${head}rules: [{ match: { images: ['*'] }, rewrite: { as: image, image: a.io/x }, pullPolicy: always }]\n`,
    '3:88',
    'pullPolicy: always is unknown; did you mean Always?',
  ],
  ['a pull policy for nothing', `${head}rules: [{ match: { images: ['*'] }, pullPolicy: Always }]\n`, '3:49', 'this rule has no rewrite'],
  ['a test of nothing', `${head}tests: [{ image: nginx }]\n`, '3:9', 'expects at least one of'],
  [
    'an outcome that is none',
    `${head}tests: [{ image: nginx, outcome: done }]\n`,
    '3:34',
    'tests.0.outcome: done is unknown; it is one of rewritten, already-there',
  ],
];

const rule = (match: string, rest = ''): string => `${head}rules: [{ name: x, match: { ${match} }${rest} }]\n`;

/** What people write who know other tools, or YAML less well. */
const mistaken: Row[] = [
  ['images as one text', rule('images: docker.io'), '3:37', 'rule x: match.images is a list; write [docker.io]'],
  ['pullSecrets as one text', rule('images: [a.io]', ', pullSecrets: regcred'), '3:60', 'pullSecrets is a list; write [regcred]'],
  [
    'namespaces to exclude',
    `${head}exclude: { namespaces: [dev] }\n`,
    '3:12',
    "unknown key namespaces; namespaces stay out by the label transship.dev/rewrite: disabled or by the chart's excludeNamespaces",
  ],
  ['a registry beside rewrite', rule('images: [a.io]', ', registry: m'), '3:47', 'unknown key registry; it belongs below rewrite'],
  ['images beside match', `${head}rules: [{ match: { images: [a.io] }, images: [b.io] }]\n`, '3:38', 'it belongs below match'],
  ['rewrite below match', rule('images: [a.io], rewrite: {}'), '3:45', 'unknown key rewrite; it belongs beside match'],
  ['a spec, as objects have it', `${head}spec: { rules: [] }\n`, '3:1', 'registries, rules and exclude are top-level keys'],
  ['a label that YAML reads as a boolean', rule('images: [a.io], podLabels: { on: true }'), '3:62', "write it in quotes: 'true'"],
  ['a label with a star', rule("images: [a.io], podLabels: { app: 'web-*' }"), '3:63', 'labels are compared exactly, * is not special'],
  ['a key that no label has', rule("images: [a.io], podLabels: { 'my app': x }"), '3:58', 'my app is not a label key'],
  [
    'an image with half a digest',
    rule('images: [a.io]', ", rewrite: { as: image, image: 'nginx:latest@sha256:abc' }"),
    '3:76',
    'a sha256 digest has 64 hexadecimal characters, this one 3',
  ],
  [
    'an image with a word for a digest',
    rule('images: [a.io]', ", rewrite: { as: image, image: 'nginx@latest' }"),
    '3:76',
    'a digest is an algorithm and hexadecimal characters',
  ],
  ['a host with a word for a port', `${head}registries: { a: { host: 'mirror.corp:port' } }\n`, '3:26', 'the port is not a number: port'],
  [
    'a pattern that is an expression',
    rule("images: ['docker.io/(nginx|redis)']"),
    '3:38',
    "write a regular expression as { regex: 'docker.io/(nginx|redis)' }",
  ],
  ['a pattern with any tag', rule("images: ['docker.io/library/nginx:*']"), '3:38', 'without a tag the name matches every tag'],
  ['a pattern of stars', rule("images: ['**']"), '3:38', 'a single * matches every image'],
];

const managers = (entry: string): string => `${head}imageManagers: [${entry}]\n`;

const imageManagers: Row[] = [
  [
    'one that nobody knows',
    managers('{ name: acme }'),
    '3:25',
    'acme is not a built-in operator, so it needs a podSelector; known are cloudnative-pg',
  ],
  ['a near miss', managers('{ name: cloud-native-pg, exclude: false }'), '3:25', 'did you mean cloudnative-pg?'],
  ['an empty selector', managers('{ name: acme, podSelector: {} }'), '3:44', 'an empty podSelector would be every pod'],
  [
    'In without values',
    managers('{ name: a, podSelector: { matchExpressions: [{ key: x, operator: In }] } }'),
    '3:62',
    'In and NotIn need values, Exists and DoesNotExist have none',
  ],
  [
    'Exists with values',
    managers('{ name: a, podSelector: { matchExpressions: [{ key: x, operator: Exists, values: [a] }] } }'),
    '3:98',
    'Exists and DoesNotExist have none',
  ],
  [
    'an operator in lower case',
    managers('{ name: a, podSelector: { matchExpressions: [{ key: x, operator: exists }] } }'),
    '3:82',
    'did you mean Exists?',
  ],
  ['one twice', managers('{ name: olm }, { name: olm, exclude: false }'), '3:40', 'another entry is called olm'],
];

/** These were taken as names that no namespace has, and the controller then deleted every copy of the pull secrets. */
const namespaces: Row[] = (
  [
    ["'^team-.*$'", 'is read as a name and not as a regular expression; only * is special; write team-*'],
    ["'team-(a|b)'", 'is read as a name and not as a regular expression; only * is special; list the names'],
    ["'team-.*'", 'write team-*'],
    ["'team-a, team-b'", 'is one name; write a list, one name an entry: [team-a, team-b]'],
    ["'team-{a,b}'", 'only * is special; list the names'],
    ["'team-a team-b'", '[team-a, team-b]'],
    ["'team-[ab]'", '[ ] is not special'],
    ["'!kube-system'", 'names cannot be excluded'],
    ["'-kube-system'", 'names cannot be excluded'],
    ["'Team-*'", 'the name of a namespace is lower case; write team-*'],
    ["'team-?'", '? is not special; write *'],
    ['\u201cteam-a\u201d', 'has curly quotes, which are part of the name; write team-a'],
    ["' team-a'", 'has white space at an end; write team-a'],
    ["'team_a'", 'is not a name of a namespace'],
    ["'team=a'", 'is not a name of a namespace'],
    ["'team.a'", 'is not a name of a namespace'],
    ["''", 'is not a name of a namespace'],
    [`'${'a'.repeat(64)}'`, 'at most 63 characters'],
    ['12', "write it in quotes: '12'"],
  ] as const
).flatMap(([name, words]): Row[] => [
  [`${name} in a rule`, rule(`images: [a.io], namespaces: [ok-*, ${name}]`), '3:64', words],
  [
    `${name} in a registry`,
    `${head}registries: { a: { host: a.io, pullSecrets: [s], credentials: { secret: x }, namespaces: ['*', ${name}] } }\n`,
    '3:96',
    words,
  ],
]);

const compiled: Row[] = [
  [
    'an unknown registry',
    `${head}registries: { mirror: { host: a.io } }\nrules:\n  - name: hub\n    match: { images: [docker.io] }\n    rewrite: { registry: miror, as: path }\n`,
    '7:26',
    'rule hub: registry miror is not defined; did you mean mirror?',
  ],
  ['a host that looks like a path', `${head}registries:\n  a: { host: mirror/hub }\n`, '4:14', 'mirror looks like a path'],
  [
    'a short image',
    `${head}rules:\n  - match:\n      images:\n        - quay.io\n        - nginx\n`,
    '7:11',
    'write docker.io/library/nginx',
  ],
  ['a lookahead', `${head}rules:\n  - match:\n      images:\n        - regex: '^(?=a)'\n`, '6:11', 'RE2 has no lookaround'],
];

for (const [title, rows] of Object.entries({ syntax, schema, mistaken, namespaces, imageManagers, compiled })) {
  test(`refused, with the place and what to do: ${title}`, (t) => {
    for (const [name, text, place, words] of rows) {
      const loaded = loadPolicy(text, 'policy.yaml');
      t.equal(loaded.compiled, null, `${name} is refused`);
      const lines = loaded.findings.map(formatFinding);
      t.ok(
        lines.some((line) => line.startsWith(`policy.yaml:${place === '' ? '' : `${place}: error: `}`) && line.includes(words)),
        `${name}: ${lines.join(' | ').slice(0, 300)}`,
      );
    }
    t.end();
  });
}

/** `b:*a` is a line `b: &b [*a, *a, …]`. */
function nineTimes(pair: string): string {
  const [name, value] = pair.split(':', 2);
  return `${name}: &${name} [${Array.from({ length: 9 }, () => value).join(', ')}]\n`;
}

test('a bomb of aliases is refused', (t) => {
  t.match(findings(head + ['a:x', 'b:*a', 'c:*b', 'd:*c', 'e:*d'].map(nineTimes).join('')), [/its aliases expand/]);
  t.match(findings(`${head}a: &a x\nb: [${'*a, '.repeat(101)}]\n`), [/more than 100 aliases/]);
  t.end();
});

test('a few aliases are fine', (t) => {
  const { compiled: policy } = loadPolicy(`${head}registries:\n  a: &a { host: a.io, pullSecrets: [s] }\n  b: *a\n`, 'policy.yaml');
  t.strictSame(policy?.policy.registries['b'], policy?.policy.registries['a']);
  t.end();
});

test('valid policies with empty sections', (t) => {
  for (const [title, text] of Object.entries({
    'only the head': head,
    'empty lists': `${head}registries: {}\nrules: []\ntests: []\nexclude: { images: [] }\n`,
    'sections with every entry commented out': `${head}registries:\n  # a: {}\nrules:\n  # - x\ntests:\nexclude:\n`,
    'an exclude with nothing in it': `${head}exclude:\n  images:\n`,
    'a registry without rules': `${head}registries: { a: { host: a.io, pullSecrets: [s] } }\n`,
  })) {
    const loaded = loadPolicy(text, 'policy.yaml');
    t.strictSame([loaded.findings, loaded.compiled === null], [[], false], title);
  }
  t.end();
});

test('a byte order mark and Windows line ends change nothing, positions included', (t) => {
  const text = `${head}rules:\n  - name: hub\n    match: { images: [nginx] }\n`;
  const [plain] = findings(text);
  t.match(plain, 'policy.yaml:5:23: error: rule hub: the host is missing');
  t.strictSame(findings(text.replaceAll('\n', '\r\n')), [plain]);
  t.strictSame(findings(`\ufeff${text}`), [plain]);
  t.equal(loadPolicy(`\ufeff${head.replaceAll('\n', '\r\n')}`, 'policy.yaml').findings.length, 0);
  t.end();
});

test('all mistakes of a file are reported at once', (t) => {
  const lines = findings(`${head}rule: []\nregistries: { a: { hosts: x } }\nrules: [{ name: 5 }]\n`);
  t.equal(lines.length, 5, lines.join('\n'));
  t.end();
});

test('a failing test in the file rejects it, with the actual result and the reason', (t) => {
  const policy = `${head}registries: { m: { host: m.io, pullSecrets: [s] } }\nrules: [{ name: hub, match: { images: [docker.io], namespaces: [team-*], podLabels: { a: b } }, rewrite: { registry: m, as: path } }]\n`;
  const table: [string, string[]][] = [
    [
      '{ image: nginx, becomes: m.io/library/nginx, namespace: team-a, podLabels: { a: b }, rule: hub, outcome: rewritten, pullSecrets: [s] }',
      [],
    ],
    ['{ image: nginx, becomes: nginx, rule: null, outcome: no-rule, pullSecrets: [] }', []],
    [
      '{ image: nginx, becomes: m.io/nginx, namespace: team-a, podLabels: { a: b } }',
      ['policy.yaml:6:5: error: test of nginx fails: it becomes m.io/library/nginx, not m.io/nginx (rule hub matches docker.io (path))'],
    ],
    [
      '{ image: nginx, rule: hub, outcome: rewritten, pullSecrets: [s] }',
      [
        'policy.yaml:6:5: error: test of nginx fails: its rule is none, not hub; its outcome is no-rule, not rewritten; its pull secrets are [], not [s] (no rule matches it; rule hub names it, but not namespace default)',
      ],
    ],
    [
      '{ image: nginx, namespace: team-a, podLabels: { a: b }, rule: null }',
      ['policy.yaml:6:5: error: test of nginx fails: its rule is hub, not none (rule hub matches docker.io (path))'],
    ],
  ];
  for (const [entry, expected] of table) {
    const loaded = loadPolicy(`${policy}tests:\n  - ${entry}\n`, 'policy.yaml');
    t.strictSame([loaded.findings.map(formatFinding), loaded.compiled === null], [expected, expected.length > 0], entry);
  }
  t.end();
});

test('resolved hosts are used, and the tests of the file see the stated one: a node port that changed refused a policy whose tests named the host', (t) => {
  const text = `${head}registries: { d: { host: 'localhost:30500', hostFrom: { localRegistryHosting: true } } }\nrules: [{ match: { images: [docker.io] }, rewrite: { registry: d, as: path } }]\ntests: [{ image: nginx, becomes: localhost:30500/library/nginx }]\n`;
  for (const [hosts, becomes] of [
    [{}, 'localhost:30500/library/nginx:1'],
    [{ d: 'localhost:5001' }, 'localhost:5001/library/nginx:1'],
  ] as const) {
    const loaded = loadPolicy(text, 'policy.yaml', hosts);
    t.strictSame(loaded.findings, []);
    t.equal(
      loaded.compiled === null ? null : decideImage(loaded.compiled.table, 'nginx:1', { namespace: 'x', podLabels: {} }).result,
      becomes,
    );
  }
  t.end();
});
