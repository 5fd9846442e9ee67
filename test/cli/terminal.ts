/** The command line without a process: words and standard input in, exit code and both outputs out. */
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../../src/cli/cli.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The policy of these tests. */
export const policy = fileURLToPath(new URL('policy.yaml', import.meta.url));

function collect(chunks: Buffer[]): Writable {
  return new Writable({
    // Smaller than a page of output, so that writers have to wait now and then.
    highWaterMark: 64,
    write: (chunk: Buffer, _, done) => {
      chunks.push(chunk);
      setImmediate(done);
    },
  });
}

export async function transship(
  args: readonly string[],
  stdin: string | Buffer | readonly (string | Buffer)[] = '',
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const outputs = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const stdout = collect(outputs.stdout);
  const stderr = collect(outputs.stderr);
  const chunks = typeof stdin === 'string' || Buffer.isBuffer(stdin) ? [stdin] : stdin;
  const code = await runCommandLine(args, { stdin: Readable.from(chunks, { objectMode: false }), stdout, stderr, env });
  await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.end(resolve))));
  return { code, stdout: Buffer.concat(outputs.stdout).toString('utf8'), stderr: Buffer.concat(outputs.stderr).toString('utf8') };
}
