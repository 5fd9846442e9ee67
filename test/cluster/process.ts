/** A child process that cannot outlive this one: its supervisor kills it when the pipe between the two closes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const supervisor = fileURLToPath(new URL('supervise.sh', import.meta.url));

export interface Supervised {
  readonly name: string;
  /** File with everything it wrote to stdout and stderr. */
  readonly logFile: string;
  /** What it has written so far. */
  log(): string;
  /** Exit code once it has ended (128 + N after signal N), undefined while it runs. */
  exitCode(): number | undefined;
  /** Resolves to the exit code. */
  readonly ended: Promise<number>;
  /** Kills it, or sends SIGTERM and waits when `gently`. Resolves to the exit code; harmless when it has ended. */
  stop(how?: { gently: boolean }): Promise<number>;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly name?: string;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
}

/** Starts the command in a session of its own, so a terminal's Ctrl-C reaches it only through its owner. */
export function supervise({ command, args, logFile, name = basename(command), env, cwd }: Launch): Supervised {
  const output = openSync(logFile, 'a');
  const child = spawn('sh', [supervisor, command, ...args], { detached: true, stdio: ['pipe', output, output], env, cwd });
  closeSync(output);
  const [lifeline] = child.stdio;
  // The supervisor may be gone before the pipe is closed: EPIPE says what `ended` says as well.
  lifeline?.on('error', () => {});

  let exit: number | undefined;
  const ended = onceEnded(child).then((code) => {
    exit = code;
    lifeline?.destroy();
    return code;
  });
  return {
    name,
    logFile,
    log: () => readFileSync(logFile, 'utf8'),
    exitCode: () => exit,
    ended,
    stop: ({ gently } = { gently: false }) => {
      if (gently && exit === undefined) child.kill('SIGTERM');
      else lifeline?.destroy();
      return ended;
    },
  };
}

const onceEnded = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    // The supervisor itself may be killed by a test that looks for a careless neighbour: that is 128 + 9, as in a shell.
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });

/**
 * Polls until `ready` resolves to true. Throws, with the end of the log, when the process has ended or the time is up.
 * A rejected `ready` counts as "not yet": a server that is starting refuses connections.
 */
export async function waitUntil(
  process: Supervised,
  what: string,
  ready: () => Promise<boolean>,
  timeoutMilliseconds = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMilliseconds;
  for (;;) {
    if (await ready().catch(() => false)) return;
    const code = process.exitCode();
    if (code !== undefined) throw new Error(`${process.name} ended with ${code} while waiting for ${what}:\n${lastLines(process.log())}`);
    if (performance.now() > deadline) {
      throw new Error(
        `${process.name}: no ${what} after ${timeoutMilliseconds / 1000} s. The end of its log:\n${lastLines(process.log())}`,
      );
    }
    await sleep(50);
  }
}

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-20).join('\n');
