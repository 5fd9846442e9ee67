/** `lint`: findings on standard output, a summary of each file on standard error, and the exit code. */
import { join } from 'node:path';
import { test } from 'tap';
import { transship } from './terminal.ts';

const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';
const local = 'registries: { local: { host: localhost:5000 } }\n';
const rule = 'rules: [{ name: hub, match: { images: [docker.io] }, rewrite: { registry: local, as: path } }]\n';

const files = {
  'empty.yaml': head,
  'good.yaml': `${head}${local}${rule}tests: [{ image: nginx, rule: hub }, { image: gcr.io/a/b, rule: null }]\n`,
  'warned.yaml': `${head}rules: [{ match: { images: [{ regex: nginx }] } }]\n`,
  'unknown.yaml': `${head}rulez: []\n`,
  'failing.yaml': `${head}${local}${rule}tests:\n  - { image: nginx, becomes: nginx }\n`,
  'syntax.yaml': `${head}rules: [\n`,
  'waits.yaml': `${head}registries: { dev: { hostFrom: { localRegistryHosting: true } } }\nrules: [{ match: { images: [docker.io] }, rewrite: { registry: dev, as: path } }]\ntests: [{ image: nginx, becomes: localhost:5001/library/nginx }]\n`,
  'hosts.yaml': 'dev: localhost:5001\n',
  'hosts-more.yaml': 'dev: localhost:5001\ndef: localhost:5002\n',
  'noted.yaml': `${head}registries: { local: { host: localhost:5000 }, other: { host: other.example } }\nrules: [{ match: { images: [docker.io] }, rewrite: { registry: local, as: path }, alternatives: [{ registry: other, as: path }], onMutableTag: fallBack }]\n`,
  'hosts-broken.yaml': 'dev: [1]\n',
  'values.yaml': 'replicaCount: 2\nrewritePolicy:\n  inline: { registries: {}, rules: [] }\n',
  'config-map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: p }\ndata:\n  policy.yaml: |\n    kind: RewritePolicy\n',
  'other-config-map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: p }\n',
  'deployment.yaml': 'apiVersion: apps/v1\nkind: Deployment\nspec: { template: { spec: { containers: [] } } }\n',
  'template.yaml': `${head}registries:\n  r: { host: {{ .Values.host }} }\n`,
  'name.yaml': 'policy.yaml\n',
  'tab.yaml': `${head}rules:\n\t- name: a\n\t  match: { images: [docker.io] }\n`,
  'deep.yaml': `${head}rules: ${'['.repeat(5000)}${']'.repeat(5000)}\n`,
  'deep-hosts.yaml': `a: ${'['.repeat(5000)}${']'.repeat(5000)}\n`,
  'binary.yaml': Buffer.from([0xff, 0xfe, 0x00, 0x01]),
};

const cases: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly code: number;
  readonly stdout?: RegExp;
  readonly stderr: RegExp;
}[] = [
  {
    name: 'a policy without rules',
    args: ['empty.yaml'],
    code: 0,
    stderr: /^empty\.yaml: 0 rules, 0 registries, 0 tests passed, 0 warnings\n$/,
  },
  { name: 'a good policy', args: ['good.yaml'], code: 0, stderr: /^good\.yaml: 1 rule, 1 registry, 2 tests passed, 0 warnings\n$/ },
  {
    name: 'a warning',
    args: ['warned.yaml'],
    code: 0,
    stdout: /^warned\.yaml:3:\d+: warning: rule rule-1: nginx is not anchored.*\n$/,
    stderr: /^warned\.yaml: 1 rule, 0 registries, 0 tests passed, 1 warning\n$/,
  },
  {
    name: 'a note, which once counted as a warning',
    args: ['noted.yaml'],
    code: 0,
    stdout: /^noted\.yaml:4:\d+: note: [^\n]*\n$/,
    stderr: /^noted\.yaml: 1 rule, 2 registries, 0 tests passed, 0 warnings, 1 note\n$/,
  },
  {
    name: 'resolved hosts of a registry that the policy does not have',
    args: ['--resolved-hosts', 'hosts-more.yaml', 'waits.yaml'],
    code: 0,
    stdout: /^hosts-more\.yaml:2:\d+: warning: the policy has no registry def; did you mean dev\?\n$/,
    stderr: /1 test passed, 1 warning\n$/,
  },
  {
    name: 'the same where the policy in force does not have it either',
    args: ['--resolved-hosts', 'hosts-more.yaml', '--against', 'waits.yaml', 'waits.yaml'],
    code: 0,
    stderr: /0 warnings, 1 known\n$/,
  },
  {
    name: 'an error',
    args: ['unknown.yaml'],
    code: 1,
    stdout: /^unknown\.yaml:3:1: error: unknown key rulez; did you mean rules\?\n$/,
    stderr: /^unknown\.yaml: 1 error, 0 warnings\n$/,
  },
  {
    name: 'a test that fails',
    args: ['failing.yaml'],
    code: 1,
    stdout: /^failing\.yaml:6:5: error: test of nginx fails: it becomes localhost:5000\/library\/nginx, not nginx/,
    stderr: /1 error, 0 warnings/,
  },
  {
    name: 'values of the chart',
    args: ['values.yaml'],
    code: 1,
    stdout: /^values\.yaml:\d+:\d+: error: these are values of the chart; the policy is under rewritePolicy\.inline: check that alone\n$/,
    stderr: /1 error/,
  },
  {
    name: 'a ConfigMap with a policy',
    args: ['config-map.yaml'],
    code: 1,
    stdout:
      /^config-map\.yaml:2:1: error: this is a ConfigMap; the policy is the text under data: kubectl .*\{\.data\.policy\\\.yaml\}' \| transship lint -\n$/,
    stderr: /1 error/,
  },
  {
    name: 'another ConfigMap',
    args: ['other-config-map.yaml'],
    code: 1,
    stdout: /this is a ConfigMap; it holds no policy\n$/,
    stderr: /1 error/,
  },
  {
    name: 'a Deployment',
    args: ['deployment.yaml'],
    code: 1,
    stdout: /^deployment\.yaml:2:1: error: this is a Deployment, not a policy; `transship explain -f` decides the images of manifests\n$/,
    stderr: /1 error/,
  },
  {
    name: 'a template that was not rendered',
    args: ['template.yaml'],
    code: 1,
    stdout: /^template\.yaml:4:\d+: error: this looks like a template of a Helm chart; render it first \(helm template …\).*\n$/,
    stderr: /1 error/,
  },
  {
    name: 'the name of a file in place of its content',
    args: ['name.yaml'],
    code: 1,
    stdout: /the text "policy\.yaml".*--set-file/,
    stderr: /1 error/,
  },
  {
    name: 'tabs: the first error alone, since the others follow from it',
    args: ['tab.yaml'],
    code: 1,
    stdout: /^tab\.yaml:\d:\d: error: the line begins with a tab; YAML requires spaces\n$/,
    stderr: /1 error/,
  },
  {
    name: 'nesting without end',
    args: ['deep.yaml'],
    code: 1,
    stdout: /^deep\.yaml:3:\d+: error: it is nested too deeply\n$/,
    stderr: /1 error/,
  },
  {
    name: 'hosts that nest without end: the parser said that its stack is exceeded',
    args: ['--resolved-hosts', 'deep-hosts.yaml', 'good.yaml'],
    code: 2,
    stderr: /POLICY_INVALID: deep-hosts\.yaml cannot be used; .*\n(?:deep-hosts\.yaml:1:\d+: error: it is nested too deeply\n)+$/,
  },
  { name: 'no YAML', args: ['syntax.yaml'], code: 1, stdout: /^syntax\.yaml:4:1: error: /, stderr: /1 error/ },
  {
    name: 'standard input',
    args: ['-'],
    stdin: files['unknown.yaml'],
    code: 1,
    stdout: /^standard input:3:1: error: /,
    stderr: /^standard input: 1 error/,
  },
  {
    name: 'a file that is not there does not keep the next from being checked',
    args: ['nowhere.yaml', 'unknown.yaml'],
    code: 2,
    stdout: /^unknown\.yaml:3:1/,
    stderr: /^transship lint: FILE_UNREADABLE: nowhere\.yaml cannot be read: no such file; .*\nunknown\.yaml: 1 error/,
  },
  { name: 'a folder', args: ['.'], code: 2, stderr: /\. cannot be read: it is a folder; name the files in it\n$/ },
  {
    name: 'a file that is not text',
    args: ['binary.yaml'],
    code: 2,
    stderr: /binary\.yaml cannot be read: it is not UTF-8 text; save it as UTF-8\n$/,
  },
  { name: 'tests of a host that is not resolved', args: ['waits.yaml'], code: 1, stdout: /not active yet/, stderr: /1 error/ },
  { name: 'tests of a host that is', args: ['--resolved-hosts', 'hosts.yaml', 'waits.yaml'], code: 0, stderr: /1 test passed/ },
  {
    name: 'resolved hosts that are none',
    args: ['--resolved-hosts', 'hosts-broken.yaml', 'waits.yaml'],
    code: 2,
    stderr:
      /^transship lint: POLICY_INVALID: hosts-broken\.yaml cannot be used; .*\nhosts-broken\.yaml:1:6: error: registry dev: write its host/,
  },
  {
    name: 'resolved hosts that are not there',
    args: ['--resolved-hosts', 'nowhere.yaml', 'waits.yaml'],
    code: 2,
    stderr: /nowhere\.yaml cannot be read/,
  },
  { name: 'the policy as a flag, as other commands take it', args: ['--policy', 'good.yaml'], code: 0, stderr: /^good\.yaml: 1 rule/ },
  {
    name: 'the policy as a flag, and another file',
    args: ['--policy', 'good.yaml', 'unknown.yaml'],
    code: 1,
    stdout: /^unknown\.yaml:3:1/,
    stderr: /^good\.yaml: 1 rule.*\nunknown\.yaml: 1 error/,
  },
  {
    name: 'findings for programs',
    args: ['-o', 'json', 'unknown.yaml'],
    code: 1,
    stdout:
      /^\{"file":"unknown\.yaml","line":3,"column":1,"severity":"error","code":"unknown-key","message":"unknown key rulez; did you mean rules\?"\}\n$/,
    stderr: /1 error/,
  },
  { name: 'no file', args: [], code: 2, stderr: /^transship lint: USAGE: no policy file given; name at least one\n$/ },
  {
    name: 'an unknown flag',
    args: ['--fix', 'good.yaml'],
    code: 2,
    stderr: /^transship lint: USAGE: unknown flag --fix; flags are --policy, --resolved-hosts, --against, --output\n$/,
  },
];

for (const { name, args, stdin, code, stdout, stderr } of cases) {
  test(name, async (t) => {
    const folder = t.testdir(files);
    const inFolder = (word: string): string => (/\.yaml$|^\.$/.test(word) ? join(folder, word) : word);
    const ended = await transship(['lint', ...args.map(inFolder)], stdin);
    const shown = (text: string): string => text.replaceAll(`${folder}/`, '').replaceAll(folder, '.');
    t.match(shown(ended.stdout), stdout ?? /^$/);
    t.match(shown(ended.stderr), stderr);
    t.equal(ended.code, code);
  });
}
