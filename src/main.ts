#!/usr/bin/env node
/** The composition root: selects the command and passes it the process's input and output. */
import { runCommandLine } from './cli/cli.ts';
import { OperatorError } from './errors/operator-error.ts';
import { asOperatorError } from './errors/system-error.ts';
import { printed } from './text/printable.ts';

// Node reports a failed write as an error event on the stream, whichever command wrote it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that closes the pipe early (`transship explain … | head`) is not a failure.
    if (error.code === 'EPIPE') process.exit();
    const { code, message } = asOperatorError(error) ?? new OperatorError('OUTPUT_FAILED', error.message, undefined, { cause: error });
    if (stream !== process.stderr) process.stderr.write(printed`transship: ${code}: ${message}\n`);
    process.exit(2);
  });
}

// Set instead of calling exit: pending output to a pipe must still be written.
process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
});
