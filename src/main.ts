#!/usr/bin/env node
/** The composition root: picks the command of the command line and lends it the world. */
import { runCommandLine } from './cli/cli.ts';
import { OperatorError } from './errors/operator-error.ts';
import { asOperatorError } from './errors/system-error.ts';
import { printed } from './text/printable.ts';

// Node reports what cannot be written as an error event on the stream, whichever command wrote it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`transship explain … | head`) is no failure.
    if (error.code === 'EPIPE') process.exit();
    const { code, message } = asOperatorError(error) ?? new OperatorError('OUTPUT_FAILED', error.message, undefined, { cause: error });
    if (stream !== process.stderr) process.stderr.write(printed`transship: ${code}: ${message}\n`);
    process.exit(2);
  });
}

// Set rather than exit: what is still on its way to a pipe must arrive.
process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
});
