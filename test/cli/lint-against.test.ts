/** `lint --against OLD`: what a change of a policy brings, for people, programs and CI systems. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Log, Result } from 'sarif';
import { test } from 'tap';
import { problemCodes } from '../../src/policy/problem-codes.ts';
import { transship, type Ended } from './terminal.ts';

const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\nregistries:\n  mirror: { host: mirror.example.com, pullSecrets: [one] }\n';
const hub = (as = 'path'): string => `  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: ${as} } }\n`;
const warned = (name: string): string => `  - { name: ${name}, match: { images: [{ regex: ${name} } ] }, pullSecrets: [${name}] }\n`;
const expectations = (outcome = 'rewritten'): string =>
  `tests: [{ image: nginx, outcome: ${outcome} }, { image: nginx, namespace: shop, outcome: ${outcome} }]\n`;
const tests = expectations();

const files = {
  'old.yaml': `${head}rules:\n${hub()}${warned('known')}${tests}`,
  'same.yaml': `# A comment moves every line.\n${head}rules:\n${hub()}${warned('known')}${tests}`,
  'renamed.yaml': `${head}rules:\n${hub().replace('hub', 'docker')}${warned('known')}${tests}`,
  'warned.yaml': `${head}rules:\n${hub()}${warned('known')}${warned('other')}${tests}`,
  'full.yaml': `${head}rules:\n${hub('fullName')}${warned('known')}${tests}`,
  'secrets.yaml': `${head.replace('one', 'two')}rules:\n${hub()}${warned('known')}${tests}`,
  'removed.yaml': `${head}rules:\n${warned('known')}${expectations('no-rule')}`,
  'broken.yaml': `${head}rulez: []\n`,
};

async function against(old: keyof typeof files, now: keyof typeof files, folder: string, ...args: string[]): Promise<Ended> {
  const ended = await transship(['lint', '--against', join(folder, old), ...args, join(folder, now)]);
  const shown = (text: string): string => text.replaceAll(`${folder}/`, '');
  return { ...ended, stdout: shown(ended.stdout), stderr: shown(ended.stderr) };
}

const cases: readonly {
  readonly name: string;
  readonly old?: keyof typeof files;
  readonly now: keyof typeof files;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: RegExp;
}[] = [
  { name: 'nothing new, on other lines', now: 'same.yaml', code: 0, stdout: '', stderr: /0 warnings, 1 known\n$/ },
  {
    name: 'a rule of another name: its warning is of the rule, and no image comes out differently',
    now: 'renamed.yaml',
    code: 0,
    stdout: '',
    stderr: /0 warnings, 1 known\n$/,
  },
  {
    name: 'a new warning',
    now: 'warned.yaml',
    code: 1,
    stdout: 'warned.yaml:8:47: warning: rule other: other is not anchored',
    stderr: /1 warning, 1 known/,
  },
  {
    name: 'another name',
    now: 'full.yaml',
    code: 0,
    stdout: `full.yaml:6:5: note: rule hub: nginx becomes mirror.example.com/docker.io/library/nginx, with pull secrets one; before, it becomes mirror.example.com/library/nginx, with pull secrets one
full.yaml:6:5: note: rule hub: nginx in namespace shop becomes mirror.example.com/docker.io/library/nginx, with pull secrets one; before, it becomes mirror.example.com/library/nginx, with pull secrets one
full.yaml:6:5: note: rule hub: docker.io/sample/sample becomes mirror.example.com/docker.io/sample/sample, with pull secrets one; before, it becomes mirror.example.com/sample/sample, with pull secrets one
`,
    stderr: /0 warnings, 1 known, 3 images come out differently\n$/,
  },
  { name: 'other pull secrets', now: 'secrets.yaml', code: 0, stdout: 'with pull secrets two; before, it becomes', stderr: /3 images/ },
  {
    name: 'a rule that is gone: the note is at the rules',
    now: 'removed.yaml',
    code: 0,
    stdout: 'removed.yaml:6:3: note: nginx stays as written (no-rule); before, it becomes mirror.example.com/library/nginx',
    stderr: /3 images/,
  },
  { name: 'an error is new in any case', old: 'broken.yaml', now: 'broken.yaml', code: 1, stdout: 'unknown key rulez', stderr: /1 error/ },
  {
    name: 'a policy in force that is invalid: the new one may be what mends it',
    old: 'broken.yaml',
    now: 'old.yaml',
    code: 1,
    stdout: 'not anchored',
    stderr: /^broken\.yaml is not a valid policy, so nothing is compared with it; transship lint broken\.yaml says why\nold\.yaml: /,
  },
];

for (const { name, old = 'old.yaml', now, code, stdout, stderr } of cases)
  test(name, async (t) => {
    const ended = await against(old, now, t.testdir(files));
    t.ok(stdout === '' ? ended.stdout === '' : ended.stdout.includes(stdout), ended.stdout);
    t.match(ended.stderr, stderr);
    t.equal(ended.code, code);
  });

/** As the runner of GitHub Actions unescapes a property. */
const unescaped = (text: string): string =>
  text.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%0A', '\n').replaceAll('%25', '%');

test('annotations of GitHub Actions, as its runner reads them', async (t) => {
  const folder = t.testdir({ ...files, 'a,b:100%.yaml': files['warned.yaml'] });
  const { stdout } = await transship(['lint', '-o', 'github', join(folder, 'a,b:100%.yaml')]);
  // actions/runner, ActionCommand.cs: properties are separated by commas, and unescaped after that.
  const [, kind, properties = '', message = ''] = /^::(\w+) ([^\n]*?)::(.*)$/m.exec(stdout) ?? [];
  const read = Object.fromEntries(properties.split(',').map((each) => each.split('=').map(unescaped)));
  t.match(read, { file: join(folder, 'a,b:100%.yaml'), line: '7', col: '47', title: 'regex-not-anchored' });
  t.equal(kind, 'warning');
  t.match(unescaped(message), /^rule known: known is not anchored/);
  t.match((await against('old.yaml', 'full.yaml', t.testdir(files), '-o', 'github')).stdout, /^::notice file=full\.yaml,line=6/m);
});

test('SARIF: one document, also without findings', async (t) => {
  const folder = t.testdir(files);
  const clean = JSON.parse((await against('old.yaml', 'same.yaml', folder, '-o', 'sarif')).stdout);
  t.match(clean, { version: '2.1.0', runs: [{ tool: { driver: { name: 'transship', version: /^\d/ } }, results: [] }] });
  const { stdout } = await against('broken.yaml', 'warned.yaml', folder, '-o', 'sarif');
  const [run] = JSON.parse(stdout).runs;
  t.ok(run.results.length >= 2);
  for (const { ruleId, ruleIndex, level, locations } of run.results) {
    t.equal(run.tool.driver.rules[ruleIndex].id, ruleId);
    t.equal(level, problemCodes[ruleId as keyof typeof problemCodes].severity);
    t.match(locations, [{ physicalLocation: { artifactLocation: { uri: /^file:\/\/.*warned\.yaml$/ }, region: { startLine: Number } } }]);
  }
});

test('SARIF: a path as it was given, so that a code scanning service finds the file in its checkout', async (t) => {
  const folder = relative(process.cwd(), t.testdir({ 'a b': { 'warned.yaml': files['warned.yaml'] } }));
  const { stdout } = await transship(['lint', '-o', 'sarif', join(folder, 'a b/warned.yaml')]);
  const uris = JSON.parse(stdout).runs[0].results.map((result: Result) => result.locations?.[0]?.physicalLocation?.artifactLocation?.uri);
  t.same([...new Set(uris)], [`${folder}/a%20b/warned.yaml`]);
});

/** https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning */
const requiredByGithub: readonly (readonly [of: string, path: RegExp])[] = [
  ['the log', /^\$schema$/],
  ['the log', /^version$/],
  ['the tool', /^runs\.0\.tool\.driver\.name$/],
  ['a rule', /^runs\.0\.tool\.driver\.rules\.\d+\.id$/],
  ['a rule', /^runs\.0\.tool\.driver\.rules\.\d+\.shortDescription\.text$/],
  ['a rule', /^runs\.0\.tool\.driver\.rules\.\d+\.helpUri$/],
  ['a rule', /^runs\.0\.tool\.driver\.rules\.\d+\.defaultConfiguration\.level$/],
  ['a result', /^runs\.0\.results\.\d+\.ruleId$/],
  ['a result', /^runs\.0\.results\.\d+\.message\.text$/],
  ['a result', /^runs\.0\.results\.\d+\.locations\.0\.physicalLocation\.artifactLocation\.uri$/],
  ['a result', /^runs\.0\.results\.\d+\.locations\.0\.physicalLocation\.region\.startLine$/],
  ['a result', /^runs\.0\.results\.\d+\.locations\.0\.physicalLocation\.region\.startColumn$/],
];

test('SARIF: each rule and each result has what GitHub requires, and help leads to a heading of the page', async (t) => {
  const { stdout } = await against('broken.yaml', 'warned.yaml', t.testdir(files), '-o', 'sarif');
  const log: Log = JSON.parse(stdout);
  const { rules = [] } = log.runs[0]?.tool.driver ?? {};
  const found = pathsOf(log);
  const expected = { 'the log': 1, 'the tool': 1, 'a rule': rules.length, 'a result': log.runs[0]?.results?.length };
  for (const [of, path] of requiredByGithub)
    t.equal(found.filter((each) => path.test(each)).length, expected[of as keyof typeof expected], `${of}: ${path.source}`);
  const page = readFileSync(new URL('../../docs/reference/findings.md', import.meta.url), 'utf8');
  for (const code of Object.keys(problemCodes)) t.match(page, `\n### \`${code}\`\n`);
  for (const { id, helpUri } of rules) t.ok(helpUri?.endsWith(`/docs/reference/findings.md#${id}`), `${id}: ${helpUri}`);
});

/** Of every value that is not an object. */
function pathsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, member]) => pathsOf(member, path === '' ? key : `${path}.${key}`));
}

test('wrong use', async (t) => {
  const folder = t.testdir(files);
  const two = await transship(['lint', '--against', join(folder, 'old.yaml'), join(folder, 'same.yaml'), join(folder, 'full.yaml')]);
  t.match(two, { code: 2, stderr: 'transship lint: USAGE: --against with 2 policy files; name the new one only\n' });
  const missing = await against('nowhere.yaml' as keyof typeof files, 'same.yaml', folder);
  t.match(missing, { code: 2, stderr: /FILE_UNREADABLE: nowhere\.yaml cannot be read: no such file/ });
});
