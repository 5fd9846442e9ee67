/**
 * The engine as one script for browsers, which sets the global `transship`. A checkout makes it when it is asked for; in the bundle, which
 * has no bundler, tools/bundle/options.ts puts the script in place of this module.
 */
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

/** zod has its messages in fifty languages, a third of the script; it uses English. */
export const oneLocale: Plugin = {
  name: 'one-locale',
  setup: (build) => {
    build.onLoad({ filter: /\/zod\/v4\/locales\/index\.c?js$/ }, () => ({ contents: "export { default as en } from './en.js';" }));
  },
};

export async function engineScript(): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('play.ts', import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'transship',
    legalComments: 'none',
    plugins: [oneLocale],
  });
  return outputFiles[0]?.text ?? '';
}
