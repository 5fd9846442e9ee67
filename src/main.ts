#!/usr/bin/env node
/** The composition root: picks the command of the command line and lends it the world. */
import { runCommandLine } from './cli/cli.ts';

// A reader that has seen enough (`transship explain … | head`) is no failure; Node reports it as an error event on the stream.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

// Set rather than exit: what is still on its way to a pipe must arrive.
process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
});
