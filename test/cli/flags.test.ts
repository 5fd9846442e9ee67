/** The table of flags, and what all commands have in common. */
import { test } from 'tap';
import { commands } from '../../src/cli/commands.ts';
import { Unfit } from '../../src/cli/flag-types.ts';
import { readFlags, variableOf, type Flag } from '../../src/cli/read-flags.ts';
import { serveFlags } from '../../src/cli/flags.ts';
import { policy, transship } from './terminal.ts';

const all = await Promise.all(Object.values(commands).map((load) => load()));
const flags: (readonly [command: string, name: string, flag: Flag])[] = all.flatMap(({ name: command, flags: own }) =>
  Object.entries(own).map(([name, flag]) => [command, name, flag] as const),
);

test('every flag of the table is in the help of its command, with its default', (t) => {
  for (const [command, name, flag] of flags) {
    const line = all
      .find((candidate) => candidate.name === command)
      ?.help.split('\n')
      .find((text) => new RegExp(`^ {2}(?:-\\w, | {4})?--${name}(?: |$)`).test(text));
    t.ok(line?.includes(flag.text), `${command} --${name}`);
    if (flag.default) t.ok(line?.endsWith(`(${flag.default})`), `${command} --${name} (${flag.default})`);
    if (flag.default !== undefined) t.notOk(flag.type?.read(flag.default) instanceof Unfit, 'its default is a value that it takes');
    t.notMatch(flag.text, /\.$|\n/, 'a clause on one line');
  }
  t.end();
});

test('one word is one thing in every command', (t) => {
  const shorts = new Map<string, string>();
  for (const [command, name, { short, type }] of flags) {
    for (const [other, , flag] of flags.filter(([, candidate]) => candidate === name))
      t.equal(flag.type?.argument, type?.argument, `--${name} of ${other}`);
    if (short === undefined) continue;
    t.equal(shorts.get(short) ?? name, name, `-${short} of ${command}`);
    shorts.set(short, name);
  }
  t.end();
});

test('a mistyped flag is answered with the right one, in every command', async (t) => {
  for (const { name: command, flags: own } of all) {
    for (const flag of Object.keys(own)) {
      const typo = flag.slice(0, 1) + flag.slice(2);
      if (Object.hasOwn(own, typo)) continue;
      const { code, stdout, stderr } = await transship([command, `--${typo}=x`]);
      t.equal(code, 2);
      t.equal(stdout, '');
      t.equal(stderr, `transship ${command}: USAGE: unknown flag --${typo}; did you mean --${flag}?\n`);
    }
  }
});

test('two values for one flag were taken for the last one, so lint passed a policy that it had not read', async (t) => {
  for (const [command, name, { type, repeatable, lastHolds }] of flags) {
    if (type === null || repeatable || lastHolds) continue;
    const { code, stderr } = await transship([command, `--${name}=a`, `--${name}`, 'b']);
    t.strictSame([code, stderr], [2, `transship ${command}: USAGE: --${name} has two values, "a" and "b"; it takes one\n`]);
  }
  t.match(
    await transship(['explain', '--policy', policy, '-o', 'json', '--policy', policy, '-ojson', 'nginx']),
    { code: 0 },
    'the same again',
  );
  const servers = new Set(flags.filter(([, , { lastHolds }]) => lastHolds).map(([command]) => command));
  t.strictSame([...servers], ['serve', 'controller'], 'extraArgs of the chart come last and override');
  t.equal(readFlags(serveFlags, ['--policy=p', '--tls-cert=c', '--tls-key=k', '--port=1', '--port=2'], {}).values.port, 2);
});

test('lines of the help of scan were 297 characters long', (t) => {
  for (const { name, help } of all) {
    const long = help.split('\n').filter((line) => line.length > 180);
    t.strictSame(long, [], name);
  }
  t.end();
});

test('TRANSSHIP_POLICY names the policy of every command that takes one', async (t) => {
  const env = { TRANSSHIP_POLICY: policy };
  const pod = 'kind: Pod\nspec: {containers: [{image: nginx}]}\n';
  for (const [args, stdin] of [
    [['explain', 'nginx'], ''],
    [['images', 'nginx'], ''],
    [['rewrite'], pod],
  ] as const)
    t.match(await transship(args, stdin, env), { code: 0, stdout: /localhost:30500\/library\/nginx/, stderr: '' }, args.join(' '));
  t.match(await transship(['lint'], '', env), { code: 0, stderr: /policy\.yaml: 7 rules/ });
  t.match(await transship(['lint', '-'], 'kind: RewritePolicy\n', env), { code: 1, stderr: /^standard input: / }, 'but not beside another');
  t.match(await transship(['explain', '--policy', 'nowhere.yaml', 'nginx'], '', env), { code: 2, stderr: /nowhere\.yaml/ }, 'a flag wins');
  for (const [command, name, { variable }] of flags)
    if (name === 'policy' && command !== 'diff') t.ok(variable, `${variableOf(name)} of ${command}`);
});

test('flags of a command that is written tomorrow', (t) => {
  const own = {
    all: { type: null, text: 'everything' },
    name: { type: { argument: 'NAME', expects: 'a NAME', read: (text: string) => text }, text: 'one', short: 'n' },
  } as const;
  t.strictSame(readFlags(own, ['-n', 'a', 'b', '--', '--all'], {}), { values: { all: false, name: 'a' }, operands: ['b', '--all'] });
  t.strictSame(readFlags(own, ['--all'], { TRANSSHIP_NAME: 'a' }), { values: { all: true, name: null }, operands: [] }, 'no variable');
  t.throws(() => readFlags(own, ['--all=yes'], {}), { code: 'USAGE', message: '--all takes no value; write --all alone' });
  t.throws(() => readFlags(own, ['-x'], {}), { code: 'USAGE', message: 'unknown flag -x; flags are --all, --name' });
  t.end();
});
