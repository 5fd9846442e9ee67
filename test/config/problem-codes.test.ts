/** Each kind of finding is found by the code that it is documented with. */
import { join } from 'node:path';
import { test } from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { parseResolvedHosts, unusedHosts } from '../../src/config/resolved-hosts.ts';
import { PolicyError, PolicySource } from '../../src/config/source.ts';
import { problemCodes, type ProblemCode } from '../../src/policy/problem-codes.ts';

const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';
const mirror = `${head}registries: { mirror: { host: mirror.example } }\n`;
const rules = (...texts: string[]): string => `${mirror}rules:\n${texts.map((text) => `  - ${text}\n`).join('')}`;
const rule = (images: string, rewrite = '{ registry: mirror, as: path }', name = 'a'): string =>
  `{ name: ${name}, match: { images: ${images} }, rewrite: ${rewrite} }`;
const regex = (expression: string): string => rules(rule(`[{ regex: '${expression}' }]`, '{ registry: mirror, as: fullName }'));
const credentials = 'credentials: { secret: source }';

const policies: Readonly<
  Record<
    Exclude<
      ProblemCode,
      | 'internal-error'
      | 'file-unreadable'
      | 'invalid-resolved-hosts'
      | 'unused-resolved-host'
      | 'image-differs'
      | 'not-exported'
      | 'not-imported'
    >,
    string
  >
> = {
  'yaml-syntax': `${head}rules: [\n`,
  'too-many-aliases': `${head}a: &a 1\nb: [${'*a, '.repeat(101)}1]\n`,
  'empty-file': '# nothing\n',
  'not-a-policy': 'apiVersion: apps/v1\nkind: Deployment\n',
  'unknown-key': `${head}rulez: []\n`,
  'invalid-value': `${head}rules: 1\n`,
  'invalid-pattern': rules(rule("['quay.io/a:b:c']")),
  'invalid-rewrite': rules(rule('[quay.io]', "{ registry: mirror, as: template, template: '${1}' }")),
  'invalid-host': `${head}registries: { mirror: { host: 'https://mirror.example' } }\n`,
  'unknown-registry': rules(rule('[quay.io]', '{ registry: mirrors, as: path }')),
  'duplicate-name': rules(rule('[quay.io]'), rule('[ghcr.io]')),
  'secret-of-two-registries': `${head}registries:\n  a: { host: a.example, pullSecrets: [s], ${credentials} }\n  b: { host: b.example, pullSecrets: [s], ${credentials} }\n`,
  'rewritten-again': rules(rule("[{ regex: '^docker\\.io/(.*)$' }]", '{ as: template, template: docker.io/x/$1 }')),
  'failed-test': `${mirror}tests: [{ image: nginx, rule: hub }]\n`,
  'shadowed-rule': rules(rule('[quay.io]'), rule('[quay.io/acme]', '{ registry: mirror, as: path, prefix: b }', 'b')),
  'never-matches': rules(rule("['quay.io/**/app']")),
  'never-rewritten': rules(rule('[mirror.example/app]')),
  'cannot-be-rewritten': rules(rule("['quay.io:5000']", '{ registry: mirror, as: fullName }')),
  'repeated-alternative': rules(
    '{ match: { images: [quay.io] }, rewrite: { registry: mirror, as: path }, alternatives: [{ registry: mirror, as: path }] }',
  ),
  'waiting-alternatives': `${head}registries: { a: { hostFrom: { localRegistryHosting: true } }, mirror: { host: mirror.example } }
rules: [{ match: { images: [quay.io] }, rewrite: { registry: a, as: path }, alternatives: [{ registry: mirror, as: path }] }]
`,
  'mutable-tags': rules(
    '{ match: { images: [quay.io] }, rewrite: { registry: mirror, as: path }, alternatives: [{ as: original }], onMutableTag: fallBack }',
  ),
  'docker-hub-host': rules(rule('[registry-1.docker.io]')),
  'organisation-for-image': rules(rule('[docker.io/nginx]')),
  'host-for-image': rules(rule("['nginx:*']")),
  'regex-matches-everything': regex('.*'),
  'regex-not-anchored': regex('quay\\.io'),
  'regex-dot': regex('^quay.io/'),
  'regex-start': regex('^library/'),
  'own-registry': rules(rule("['*']", '{ registry: mirror, as: fullName, prefix: x }')),
  collision: rules(rule('[quay.io/acme/app, ghcr.io/acme/app]')),
  'possible-collision': rules(rule('[quay.io, ghcr.io]')),
  'repeated-entry': `${head}registries: { mirror: { host: mirror.example, pullSecrets: [a, a] } }\n`,
  'namespace-without-effect': `${head}registries: { mirror: { host: mirror.example, pullSecrets: [a], ${credentials}, namespaces: [kube-node-lease] } }\n`,
};

for (const [code, text] of Object.entries(policies))
  test(code, (t) => {
    const { findings } = loadPolicy(text, 'policy.yaml');
    const found = findings.filter((finding) => finding.code === code);
    t.ok(found.length > 0, JSON.stringify(findings));
    for (const { code: kind, severity } of found) t.equal(severity, problemCodes[kind].severity);
    t.end();
  });

test('codes of files that are no policy', async (t) => {
  t.match(parseResolvedHosts('mirror: [1]\n', 'hosts.yaml').findings, [{ code: 'invalid-resolved-hosts', severity: 'error' }]);
  t.match(unusedHosts({ b: 'b.io' }, { text: 'b: b.io\n', name: 'hosts.yaml' }, { registries: {} }), [
    { code: 'unused-resolved-host', severity: 'warning' },
  ]);
  const missing = PolicySource.open({ policy: join(t.testdir(), 'none.yaml'), resolvedHosts: null });
  const error = await missing.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  t.ok(error instanceof PolicyError);
  t.match(error, { findings: [{ code: 'file-unreadable', severity: 'error' }] });
});
