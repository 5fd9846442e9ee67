/** The commands by name, each imported on use: `explain` starts fast because the server's modules are not loaded. */
import type { Command } from './command.ts';

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.ts')).serveCommand,
  try: async () => (await import('./try.ts')).tryCommand,
  play: async () => (await import('./play.ts')).playCommand,
  controller: async () => (await import('./controller.ts')).controllerCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  rewrite: async () => (await import('./rewrite.ts')).rewriteCommand,
  lint: async () => (await import('./lint.ts')).lintCommand,
  init: async () => (await import('./init.ts')).initCommand,
  diff: async () => (await import('./diff.ts')).diffCommand,
  images: async () => (await import('./images.ts')).imagesCommand,
  export: async () => (await import('./export.ts')).exportCommand,
  import: async () => (await import('./import.ts')).importCommand,
  scan: async () => (await import('./scan.ts')).scanCommand,
  why: async () => (await import('./why.ts')).whyCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
};
