/** Selects the command of the command line, runs it and returns its exit code. */
import { nearest } from '../rules/nearest.ts';
import { ownText, printed } from '../text/printable.ts';
import type { Io } from './command.ts';
import { commands } from './commands.ts';
import { exitCodeOf } from './failure.ts';
import { programFile } from './program-files.ts';

const helpWords = new Set(['help', '--help', '-h']);
const versionWords = new Set(['version', '--version', '-V']);

/** @returns the exit code: 0 success, 1 findings, 2 wrong usage or unreadable input */
export async function runCommandLine(args: readonly string[], io: Io): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined) {
    io.stderr.write(ownText(await overview()));
    return 2;
  }
  if (helpWords.has(word)) return help(rest[0], io);
  if (versionWords.has(word)) {
    io.stdout.write(printed`${version()}\n`);
    return 0;
  }
  return runCommand(word, rest, io);
}

async function runCommand(name: string, args: readonly string[], io: Io): Promise<number> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) return unknownCommand(name, io);
  if (asksForHelp(args)) return help(name, io);
  try {
    const command = await load();
    return await command.run(args, io);
  } catch (error) {
    return exitCodeOf(error, name, io.stderr);
  }
}

async function help(name: string | undefined, io: Io): Promise<number> {
  if (name === undefined) {
    io.stdout.write(ownText(await overview()));
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) return unknownCommand(name, io);
  io.stdout.write(ownText(`${(await load()).help.trimEnd()}\n`));
  return 0;
}

/** Nothing after `--` is a flag, so an image may be called `--help`. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  return options.includes('--help') || options.includes('-h');
}

function unknownCommand(name: string, io: Io): number {
  const near = nearest(name, Object.keys(commands));
  const remedy = near === null ? `commands are ${Object.keys(commands).join(', ')}` : `did you mean ${near}?`;
  io.stderr.write(printed`transship: unknown command ${name}; ${remedy}\n`);
  return 2;
}

async function overview(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const width = Math.max(...all.map((command) => command.name.length));
  const lines = all.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `transship makes every pod pull its images from the right registry, with the right credentials.

Usage: transship COMMAND [flags]

${lines.join('\n')}

transship COMMAND --help explains a command; transship --version prints the version.
Exit codes: 0 done, 1 findings, 2 wrong usage or unreadable input.
`;
}

function version(): string {
  const { version: current }: { version: string } = JSON.parse(programFile('package.json'));
  return current;
}
