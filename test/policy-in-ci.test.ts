/** The scripts of docs/guides/policy-in-ci.md, run in a repository as a CI system has it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';
import { parse } from 'yaml';
import { pages } from './guides/page.ts';

const page = pages.find(({ name }) => name === 'policy-in-ci.md');
const blockOf = (language: string): string => page?.blocks.find((block) => block.language === language)?.text ?? '';
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

const policy = (rules: string): string => `apiVersion: transship.dev/v1\nkind: RewritePolicy\nrules:\n${rules}`;
const hub = '  - { name: hub, match: { images: [docker.io] }, pullSecrets: [hub] }\n';
const inForce = policy(hub);
const unanchored = policy(`${hub}  - { name: any, match: { images: [{ regex: acme }] }, pullSecrets: [any] }\n`);
const broken = policy(hub).replace('rules', 'rulez');

interface Checkout {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** @param target the policy of the branch origin/main; null where it has none */
function checkout(t: Test, target: string | null, now: string): Checkout {
  const folder = t.testdir({ bin: { transship: `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n` }, work: {} });
  chmodSync(join(folder, 'bin/transship'), 0o755);
  const work = join(folder, 'work');
  const git = (...args: string[]): void => void execFileSync('git', args, { cwd: work, stdio: 'ignore' });
  git('init', '--initial-branch=main');
  git('config', 'user.name', 'test');
  git('config', 'user.email', 'test@example.com');
  writeFileSync(join(work, 'README'), '');
  if (target !== null) writeFileSync(join(work, 'policy.yaml'), target);
  git('add', '.');
  git('commit', '--message=first');
  git('update-ref', 'refs/remotes/origin/main', 'HEAD');
  writeFileSync(join(work, 'policy.yaml'), now);
  return {
    folder: work,
    env: { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}`, GITHUB_BASE_REF: 'main' },
  };
}

const cases: readonly (readonly [name: string, target: string | null, now: string, status: number, said: RegExp])[] = [
  ['no change', inForce, inForce, 0, /^$/],
  ['a new warning', inForce, unanchored, 1, /policy\.yaml.*rule any/s],
  ['a warning that the policy in force has', unanchored, unanchored, 0, /^$/],
  ['an error', inForce, broken, 1, /rulez/],
];

test('the script for any CI system', async (t) => {
  const script = blockOf('sh');
  const first: typeof cases = [
    ['the first policy', null, inForce, 0, /no policy\.yaml yet/],
    ['the first policy, with a warning', null, unanchored, 0, /warning/],
  ];
  for (const [name, target, now, status, said] of [...cases, ...first]) {
    const { folder, env } = checkout(t, target, now);
    const ended = spawnSync('sh', ['-c', script], { cwd: folder, env, encoding: 'utf8' });
    t.match(ended, { status, stdout: said }, `${name}: ${ended.stderr}`);
  }
});

test('the steps of the GitHub workflow', async (t) => {
  const { jobs } = parse(blockOf('yaml'));
  const steps: readonly { readonly run?: string; readonly 'working-directory'?: string }[] = jobs.policy.steps;
  // What installs the command is not run: it needs the network.
  const script = steps.flatMap((step) => (step.run === undefined || step['working-directory'] !== undefined ? [] : [step.run])).join('\n');
  t.equal(script.split('\n').length, 2);
  for (const [name, target, now, status, said] of cases) {
    const { folder, env } = checkout(t, target, now);
    const ended = spawnSync('bash', ['-e', '-c', script], { cwd: folder, env, encoding: 'utf8' });
    t.match(ended, { status, stdout: said }, `${name}: ${ended.stderr}`);
    if (status === 1) t.match(ended.stdout, /^::(?:error|warning) file=policy\.yaml,line=\d/m);
  }
});
