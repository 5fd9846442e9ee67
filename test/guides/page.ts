/** The pages of docs/guides as their blocks of code: fenced ones with their language, and commands. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

export interface Block {
  /** `PAGE:LINE`, for messages. */
  readonly place: string;
  /** Of the fence; empty for an indented block. */
  readonly language: string;
  readonly text: string;
}

export interface Page {
  readonly name: string;
  readonly blocks: readonly Block[];
}

const folder = new URL('../../docs/guides/', import.meta.url);

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

export const pages: readonly Page[] = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .toSorted()
  .map((name) => ({ name, blocks: blocksOf(name, readFileSync(new URL(name, folder), 'utf8')) }));

function blocksOf(page: string, text: string): Block[] {
  const fenced = [...text.matchAll(/^( *)```(\w*)\n([^]*?)^\1```$/gm)].map((match) => ({
    place: `${page}:${lineOf(text, match.index)}`,
    language: match[2] ?? '',
    text: (match[3] ?? '').replaceAll(new RegExp(`^${match[1] ?? ''}`, 'gm'), ''),
  }));
  const rest = text.replaceAll(/^( *)```[^]*?^\1```$/gm, (block) => block.replaceAll(/[^\n]+/g, ''));
  const indented = [...rest.matchAll(/(?<=^\n)(?: {4}.*\n)+/gm)].map((match) => ({
    place: `${page}:${lineOf(text, match.index)}`,
    language: '',
    text: match[0].replaceAll(/^ {4,}/gm, ''),
  }));
  return [...fenced, ...indented];
}

/** `# policy.yaml` as the first line names a file, perhaps with words after it. */
export const fileName = ({ text }: Block): string | null => /^# ([\w./-]+\.(?:yaml|toml|conf))\b/.exec(text)?.[1] ?? null;

export function documentsOf({ text, place }: Block): Record<string, unknown>[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0] !== undefined) throw new Error(`${place}: ${document.errors[0].message}`);
    return Object(document.toJS());
  });
}

export interface Command {
  readonly place: string;
  /** What follows `transship`. */
  readonly words: readonly string[];
  /** The file that `>` names. */
  readonly into: string | null;
  /** What the page shows below it, null where it shows nothing. */
  readonly output: string | null;
}

/** Commands of transship at the start of a line, without what a shell takes away: a pipe, a redirection, a comment. */
export function commandsOf({ blocks }: Page): Command[] {
  return blocks
    .filter(({ language }) => ['', 'sh', 'console'].includes(language))
    .flatMap(({ place, language, text }) =>
      language === 'console'
        ? text.split(/^\$ /m).flatMap((part) => {
            const [line = '', ...output] = part.split('\n');
            return commandOf(place, line, output.join('\n'));
          })
        : text
            .replaceAll(/\\\n\s*/g, '')
            .split('\n')
            .flatMap((line) => commandOf(place, line, null)),
    );
}

function commandOf(place: string, line: string, output: string | null): Command[] {
  const match = /^(?:npx )?transship (.*?)(?:\s+[|>#].*)?$/.exec(line);
  if (match === null) return [];
  const words = (match[1] ?? '').match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  return [
    {
      place: `${place}: transship ${match[1]}`,
      words: words.map((word) => word.replaceAll(/^(['"])(.*)\1$/g, '$2')),
      into: / > (\S+)/.exec(line)?.[1] ?? null,
      output,
    },
  ];
}
