/** Reads the input of a command: files, or standard input for `-`. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';
import type { Io } from './command.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { errorCode, unreadableReason } from '../errors/system-error.ts';

const remedies: Readonly<Record<string, string>> = {
  EISDIR: 'name the files in it',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'save it as UTF-8',
};

/** Name of a file in messages. They start with it, and CI systems interpret lines that start with `::` or `##`. */
export function displayName(path: string): string {
  if (path === '-') return 'standard input';
  return /^\s*(?:::|##)/.test(path) ? `./${path}` : path;
}

/**
 * The whole text, unchanged: a byte-order mark is kept.
 *
 * @throws OperatorError (FILE_UNREADABLE)
 */
export async function readText(path: string, io: Io): Promise<string> {
  try {
    const bytes = path === '-' ? await buffer(io.stdin) : await readFile(path);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new OperatorError(
      'FILE_UNREADABLE',
      `${displayName(path)} cannot be read: ${unreadableReason(error)}`,
      remedies[errorCode(error)],
      {
        cause: error,
      },
    );
  }
}

/** Groups of the lines that have arrived so far, so that a program that writes line by line gets its results line by line. */
export async function* lineGroups(input: Readable): AsyncGenerator<string[]> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    const text = typeof chunk === 'string' ? chunk : decoder.write(chunk);
    // Searches only the new chunk, or a line of many chunks would be searched again for each of them.
    if (!text.includes('\n')) {
      rest += text;
      continue;
    }
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield lines.map(withoutReturn);
  }
  rest += decoder.end();
  if (rest !== '') yield [withoutReturn(rest)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
