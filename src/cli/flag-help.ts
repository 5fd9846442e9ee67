/** Help texts of flags, for `--help` and the reference pages. */
import { variableOf, type Flag, type Flags } from './read-flags.ts';

/** One line per flag: short and long name, argument, text and default. */
export function flagHelp(flags: Flags): string {
  const hasShort = Object.values(flags).some(({ short }) => short !== undefined);
  const lines = Object.entries(flags).map(([name, flag]) => {
    const short = flag.short === undefined ? '' : `-${flag.short}, `;
    return { words: `${hasShort ? short.padEnd(4) : short}${usageOf(name, flag)}`, text: flag.text + notes(flag) };
  });
  const width = Math.max(0, ...lines.map(({ words }) => words.length));
  return lines.map(({ words, text }) => `  ${words.padEnd(width)}  ${text}`).join('\n');
}

function usageOf(name: string, { type }: Flag): string {
  return type === null ? `--${name}` : `--${name} ${type.argument}`;
}

function notes({ default: value, required, repeatable }: Flag): string {
  if (repeatable === 'twice') return '';
  if (repeatable) return '; may be given again';
  if (required !== undefined) return ' (required)';
  return value === undefined || value === '' ? '' : ` (${value})`;
}

/** A Markdown table. */
export function flagTable(flags: Flags): string {
  const hasVariables = Object.values(flags).some(({ variable }) => variable === true);
  const head = hasVariables ? ['Flag', 'Variable', 'Default', 'What it is'] : ['Flag', 'Default', 'What it is'];
  const rows = Object.entries(flags).map(([name, flag]) => [
    `\`${usageOf(name, flag)}\``,
    hasVariables ? (flag.variable ? `\`${variableOf(name)}\`` : '') : null,
    flag.required === undefined ? (flag.default ? `\`${flag.default}\`` : '') : 'required',
    flag.text.replaceAll('|', String.raw`\|`),
  ]);
  const lines = [head, ...rows].map((cells) => `| ${cells.filter((cell) => cell !== null).join(' | ')} |`);
  return lines.toSpliced(1, 0, `|${'---|'.repeat(head.length)}`).join('\n');
}
