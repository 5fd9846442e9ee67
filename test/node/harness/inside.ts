/** Commands run inside a node's namespaces: its network always, its mounts and processes where that matters. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

import { CommandError, type CommandOptions, type CommandOutput } from '../../cluster/commands.ts';

export type Run = (words: readonly string[], options?: CommandOptions) => Promise<CommandOutput>;

/** `-n` network, `-m` mounts, `-p` processes, `-u` host name. */
export type NamespaceFlag = '-n' | '-m' | '-p' | '-u' | '-i';

/** Runs the words in the namespaces of the process. Rejects with CommandError when they end with another code than 0. */
export const inside =
  (pid: number, flags: readonly NamespaceFlag[], env: NodeJS.ProcessEnv): Run =>
  (words, options) =>
    run(['nsenter', '-t', String(pid), ...flags, ...(flags.includes('-m') ? ['--wd=/'] : []), '--', ...words], env, options);

/** Resolves to what the words wrote. Rejects with CommandError when they end with another code than 0. */
export async function run(words: readonly string[], env: NodeJS.ProcessEnv, { input, cwd }: CommandOptions = {}): Promise<CommandOutput> {
  const [command = '', ...args] = words;
  const child = spawn(command, args, { env, cwd, stdio: 'pipe' });
  // It may refuse its arguments and end before it has read its input.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new CommandError(words.join(' '), code, { stdout, stderr });
  return { stdout, stderr };
}
