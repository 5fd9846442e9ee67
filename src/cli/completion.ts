/** `transship completion`: prints a script that completes commands, flags and their values in a shell. */
import { OperatorError } from '../errors/operator-error.ts';
import { nearest } from '../rules/nearest.ts';
import { command } from './command.ts';
import { completionScripts, shells, type CompletedCommand } from './completion-scripts.ts';
import { write } from './output.ts';
import { ownText } from '../text/printable.ts';

export const completionCommand = command({
  name: 'completion',
  summary: 'prints the completion script of a shell',
  usage: `transship completion SHELL

Prints the script that completes commands, flags and their values in bash, zsh or fish. To have it in every new shell:

  transship completion bash > ~/.local/share/bash-completion/completions/transship
  transship completion zsh > ~/.zfunc/_transship            # with fpath+=(~/.zfunc) before compinit in ~/.zshrc
  transship completion fish > ~/.config/fish/completions/transship.fish`,
  flags: {},
  operands: shells,
  notes: 'Exit codes: 0 success; 2 wrong usage.',
  run: async ({ operands: [given, more] }, io) => {
    const shell = shells.find((name) => name === given);
    if (shell === undefined || more !== undefined) {
      const near = given === undefined ? null : nearest(given, shells);
      const problem =
        given === undefined ? 'no shell is named' : `${more === undefined ? given : `${given} ${more}`} is not a supported shell`;
      throw new OperatorError('USAGE', problem, near === null ? `name one of ${shells.join(', ')}` : `did you mean ${near}?`);
    }
    // Imported here: this command is one of them.
    const { commands } = await import('./commands.ts');
    const all = await Promise.all(Object.values(commands).map((load) => load()));
    const completed: CompletedCommand[] = all.map(({ name, summary, flags, operands = [] }) => ({ name, summary, flags, operands }));
    await write(io.stdout, ownText(completionScripts[shell](completed)));
    return 0;
  },
});
