/** The completion scripts in the shells themselves: what each offers for a line that is being typed. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { transship } from './terminal.ts';

const folder = t.testdir({ 'policy.yaml': '', 'other.txt': '' });

async function scriptOf(shell: string): Promise<string> {
  const { code, stdout } = await transship(['completion', shell]);
  if (code !== 0) throw new Error(`no script for ${shell}`);
  const file = join(folder, `_transship.${shell}`);
  writeFileSync(file, stdout);
  return file;
}

const words = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();

/** What is typed, and what must be among the offers, or may not be. */
const table: [line: string, offered: string[], not: string[]][] = [
  ['transship ', ['serve', 'explain', 'lint', 'completion'], ['--policy']],
  ['transship expl', ['explain'], ['serve']],
  ['transship explain --po', ['--policy'], ['--namespace']],
  ['transship explain --output ', ['table', 'json'], ['text']],
  ['transship explain --policy pol', ['policy.yaml'], ['other.txt']],
  ['transship serve --log-level w', ['warn'], ['info']],
  ['transship completion ', ['bash', 'zsh', 'fish'], ['policy.yaml']],
  ['transship export con', ['containerd'], ['policy.yaml']],
  ['transship import imageswap ', ['policy.yaml'], ['containerd']],
];

/** A missing shell is an error in the gate, which installs them. */
function skip(shell: string): string | false {
  if (existsSync(`/usr/bin/${shell}`) || existsSync(`/bin/${shell}`)) return false;
  if (process.env['TRANSSHIP_REQUIRE_NODE'] === '1') throw new Error(`${shell} is not installed: .ci/install-node-packages does it`);
  return `${shell} is not installed`;
}

const offers: Readonly<Record<'bash' | 'fish', (script: string, line: string) => string[]>> = {
  bash: (script, line) => {
    const typed = line.split(' ');
    const program = `source ${script}; COMP_WORDS=(${typed.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${typed.length - 1}; _transship; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return words(execFileSync('bash', ['--noprofile', '--norc', '-c', program], { cwd: folder, encoding: 'utf8' }));
  },
  fish: (script, line) => {
    const program = `source ${script}; complete -C '${line}'`;
    const text = execFileSync('fish', ['--no-config', '-c', program], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, HOME: folder },
    });
    return words(text).map((offer) => offer.split('\t')[0] ?? '');
  },
};

for (const shell of ['bash', 'fish'] as const) {
  t.test(`${shell} offers commands, flags and their values`, { skip: skip(shell) }, async (tt) => {
    const script = await scriptOf(shell);
    for (const [line, offered, not] of table) {
      const found = new Set(offers[shell](script, line));
      for (const word of offered) tt.ok(found.has(word), `${line}: ${word} in ${[...found].join(' ')}`);
      for (const word of not) tt.notOk(found.has(word), `${line}: not ${word}`);
    }
  });
}

// zsh has no command that prints what it would offer: what the script tells zsh's own completion functions is looked at instead.
t.test('zsh loads the script and completes commands, flags and their values', { skip: skip('zsh') }, async (tt) => {
  const script = await scriptOf('zsh');
  execFileSync('zsh', ['-n', script]);
  const program = `
    autoload -Uz compinit && compinit -u -d ${join(folder, '.zcompdump')}; source ${script}
    _describe() { print -rl -- \${(P)2%%:*} }; _arguments() { print -rl -- "$@" }; words=("$@"); CURRENT=$#; _transship`;
  const ask = (...typed: string[]): string =>
    execFileSync('zsh', ['-f', '-c', program, 'zsh', ...typed], { cwd: folder, encoding: 'utf8', env: { ...process.env, HOME: folder } });
  const commands = words(ask('transship', ''));
  for (const name of ['serve', 'explain', 'completion']) tt.ok(commands.includes(name), name);
  const specifications = ask('transship', 'explain', '--');
  tt.match(specifications, /^--policy\[.*\]:FILE:_files$/m);
  tt.match(specifications, /^--output\[.*\]:FORMAT:\(table json\)$/m);
});

t.test('a shell that is not known', async (tt) => {
  for (const [args, message] of [
    [['completion'], 'no shell is named; name one of bash, zsh, fish'],
    [['completion', 'bsh'], 'bsh is not a supported shell; did you mean bash?'],
    [['completion', 'powershell'], 'name one of bash, zsh, fish'],
    [['completion', 'bash', 'zsh'], 'bash zsh is not a supported shell'],
  ] as const) {
    const { code, stderr } = await transship(args);
    tt.equal(code, 2);
    tt.match(stderr, message);
  }
});
