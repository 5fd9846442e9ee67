/** kubectl and helm as a person would run them, with nothing read from or left in the home folder. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { binary, pathWithBinaries } from './binaries.ts';

export interface CommandOptions {
  /** Text for its standard input, as for `kubectl apply -f -`. */
  readonly input?: string;
  readonly cwd?: string;
}

export interface CommandOutput {
  readonly stdout: string;
  /** Warnings of the API server arrive here, as `Warning: …` lines. */
  readonly stderr: string;
}

/** A command that ended with another code than 0; a test of a refusal expects it and reads `stderr`. */
export class CommandError extends Error {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(written: string, code: number | null, output: CommandOutput) {
    super(`${written} ended with ${code}: ${output.stderr.trim() || output.stdout.trim()}`);
    this.name = 'CommandError';
    this.code = code;
    this.stdout = output.stdout;
    this.stderr = output.stderr;
  }
}

export type Command = (args: readonly string[], options?: CommandOptions) => Promise<CommandOutput>;

/** Environment in which kubectl and helm see this cluster only, and keep their files in `folder`. */
export const commandEnvironment = (kubeconfig: string, folder: string): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: pathWithBinaries(),
  KUBECONFIG: kubeconfig,
  KUBECACHEDIR: join(folder, 'kube-cache'),
  // A person's own defaults for kubectl must not change what a test sees.
  KUBERC: 'off',
  HELM_CACHE_HOME: join(folder, 'helm', 'cache'),
  HELM_CONFIG_HOME: join(folder, 'helm', 'config'),
  HELM_DATA_HOME: join(folder, 'helm', 'data'),
});

export function command(program: 'kubectl' | 'helm' | 'helm3', env: NodeJS.ProcessEnv): Command {
  return (args, { input, cwd } = {}) =>
    new Promise((resolve, reject) => {
      const child = execFile(binary(program), args, { env, cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        if (error === null) return resolve({ stdout, stderr });
        reject(new CommandError(`${program} ${args.join(' ')}`, child.exitCode, { stdout, stderr }));
      });
      // It may refuse its arguments and end before it has read its input.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
}
