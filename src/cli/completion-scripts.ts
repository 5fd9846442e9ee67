/** Completion scripts, generated from the commands and their flags: completion starts no process. */
import type { Flag, Flags } from './read-flags.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: Flags;
  /** Values of the first operand; empty where files are completed. */
  readonly operands: readonly string[];
}

export const completionScripts: Readonly<Record<Shell, (commands: readonly CompletedCommand[]) => string>> = { bash, zsh, fish };

const isFile = ({ type }: Flag): boolean => type?.argument === 'FILE';
const wordsOf = (name: string, { short }: Flag): string[] => [...(short === undefined ? [] : [`-${short}`]), `--${name}`];

/** In single quotes, in which no shell interprets anything. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function bash(commands: readonly CompletedCommand[]): string {
  const values = commands.flatMap(({ name, flags }) =>
    Object.entries(flags).flatMap(([flag, each]) => {
      if (each.type === null) return [];
      const patterns = wordsOf(flag, each).map((word) => quoted(`${name} ${word}`));
      const words = each.type.values?.join(' ');
      const reply = isFile(each) ? '$(compgen -f -- "$cur")' : words === undefined ? '' : `$(compgen -W ${quoted(words)} -- "$cur")`;
      return [`    ${patterns.join(' | ')}) COMPREPLY=(${reply}); return ;;`];
    }),
  );
  const flags = commands.map(({ name, flags: own, operands: known }) => {
    const words = [...Object.entries(own).flatMap(([flag, each]) => wordsOf(flag, each)), '--help'];
    const operands = known.length > 0 ? ` operands=${quoted(known.join(' '))}` : '';
    return `    ${name}) flags=${quoted(words.join(' '))}${operands} ;;`;
  });
  return `# bash completion of transship
_transship() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} flags='' operands=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted([...commands.map(({ name }) => name), '--help', '--version'].join(' '))} -- "$cur"))
    return
  fi
  case "\${COMP_WORDS[1]} $prev" in
${values.join('\n')}
  esac
  case "\${COMP_WORDS[1]}" in
${flags.join('\n')}
  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
    *) if [ -n "$operands" ] && [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W "$operands" -- "$cur")); else COMPREPLY=($(compgen -f -- "$cur")); fi ;;
  esac
}
complete -o filenames -F _transship transship
`;
}

/** In a zsh specification a colon ends the text, and brackets delimit it. */
const escaped = (text: string): string => text.replaceAll(/[\\:[\]]/g, String.raw`\$&`);

function zsh(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, flags, operands: known }) => {
    const specifications = Object.entries(flags).flatMap(([flag, each]) =>
      wordsOf(flag, each).map((word) => {
        const text = `${each.repeatable ? '*' : ''}${word}[${escaped(each.text)}]`;
        if (each.type === null) return quoted(text);
        const action = isFile(each) ? '_files' : each.type.values === undefined ? '' : `(${each.type.values.join(' ')})`;
        return quoted(`${text}:${escaped(each.type.argument)}:${action}`);
      }),
    );
    const operands = [...(known.length > 0 ? [quoted(`1:operand:(${known.join(' ')})`)] : []), quoted('*:file:_files')];
    return `    ${name}) _arguments ${[...specifications, quoted('--help[what it does, and its flags]'), ...operands].join(' \\\n      ')} ;;`;
  });
  return `#compdef transship
_transship() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map(({ name, summary }) => `      ${quoted(`${name}:${escaped(summary)}`)}`).join('\n')}
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT -= 1 ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _transship ]; then _transship "$@"; else compdef _transship transship; fi
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, flags }) => [
    `complete -c transship -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...Object.entries(flags).map(([flag, each]) => {
      const words = [`complete -c transship -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`, `-l ${flag}`];
      if (each.short !== undefined) words.push(`-s ${each.short}`);
      if (each.type !== null)
        words.push(isFile(each) ? '-r -F' : `-x${each.type.values === undefined ? '' : ` -a ${quoted(each.type.values.join(' '))}`}`);
      return [...words, `-d ${quoted(each.text)}`].join(' ');
    }),
  ]);
  const operands = commands
    .filter(({ operands: known }) => known.length > 0)
    .map(
      ({ name, operands: known }) =>
        `complete -c transship -n ${quoted(`__fish_seen_subcommand_from ${name}; and test (count (commandline -opc)) -eq 2`)} -f -a ${quoted(known.join(' '))}`,
    );
  return `# fish completion of transship\n${[...lines, ...operands].join('\n')}\n`;
}
