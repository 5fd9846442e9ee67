/** A server under test as a process of its own: started, waited for, and ended with the bench. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pinned } from './pinning.ts';
import type { Certificate } from './certificate.ts';
import type { Built } from './subject.ts';

export interface Program {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Milliseconds from exec until it listened. */
  readonly startTime: number;
  /** Resolves with the next line of its log that has the message. */
  readonly logged: (message: string) => Promise<void>;
  /** Gently: with SIGTERM, so that it can still write its compile cache. */
  readonly stop: (how?: { readonly gently: boolean }) => Promise<void>;
}

interface Launch {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * @param file the reference server
 * @param kind `parse` reads the JSON of each body and answers a fixed review; `drop` does not even read it; `answer` takes over the uid
 */
export async function startReference(
  file: string,
  kind: 'parse' | 'drop' | 'answer',
  { certFile, keyFile }: Certificate,
): Promise<Program> {
  return await start({ name: `bare node:https, ${kind}`, args: [file, kind, certFile, keyFile] });
}

export interface ServeWish {
  readonly policyFile: string;
  readonly certificate: Certificate;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export async function startServe(
  { name, flags, env: imageEnv, main }: Built,
  { policyFile, certificate, args = [], env = {} }: ServeWish,
): Promise<Program> {
  const files = ['--policy', policyFile, '--tls-cert', certificate.certFile, '--tls-key', certificate.keyFile];
  // The load has one core and the server another, so the loop is late whenever somebody else uses the machine.
  const ports = ['--port', '0', '--metrics-port', '0', '--drain-seconds', '0'];
  return await start({ name, args: [...flags, main, 'serve', ...files, ...ports, ...args], env: { ...imageEnv, ...env } });
}

async function start({ name, args, env = {} }: Launch): Promise<Program> {
  const began = performance.now();
  const [command = '', ...rest] = pinned([process.execPath, ...args]);
  // The log goes through a pipe, as it does under a container runtime.
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const listening = await lineWith(child, name, 'listening');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} has no process`);
  return {
    name,
    pid,
    port: Number(listening['port']),
    startTime: performance.now() - began,
    logged: async (message) => void (await lineWith(child, name, message)),
    stop: async ({ gently } = { gently: false }) => {
      process.removeListener('exit', kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(gently ? 'SIGTERM' : 'SIGKILL');
      await ended;
    },
  };
}

function lineWith(child: ChildProcess, name: string, message: string): Promise<Record<string, unknown>> {
  const { stderr } = child;
  if (stderr === null) throw new Error(`${name} has no log`);
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stderr });
    const rest: string[] = [];
    const ended = (): void => reject(new Error(`${name} ended: ${rest.join('\n')}`));
    child.once('exit', ended);
    lines.on('line', (line) => {
      rest.push(line);
      if (!line.includes(`"msg":"${message}"`)) return;
      child.removeListener('exit', ended);
      lines.close();
      // From now on the log is drained and not examined.
      stderr.resume();
      resolve(JSON.parse(line));
    });
  });
}
