/** How the sources are bundled by esbuild: for the image and the npm package, and for the single executable. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Plugin } from 'esbuild';
import { engineScript, oneLocale } from '../../src/playground/engine-script.ts';

export const project = fileURLToPath(new URL('../..', import.meta.url));

/** Of the client library, the code for kubeconfigs is used: without this its 900 models, which do nothing when they are loaded, would come along. */
const clientLibraryWithoutModels: Plugin = {
  name: 'client-library-without-models',
  setup: (build) => {
    build.onResolve({ filter: /./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'resolved' || !`${path} ${from.importer}`.includes('@kubernetes/client-node')) return undefined;
      const { importer, resolveDir, kind } = from;
      const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: 'resolved' });
      return found.path.includes('@kubernetes/client-node') ? { ...found, sideEffects: false } : found;
    });
  },
};

/** No route has a schema, and so fastify is told not to load these two (src/server/no-schemas.ts): a quarter of what `serve` would load. */
const noSchemaCompilers: Plugin = {
  name: 'no-schema-compilers',
  setup: (build) => {
    build.onLoad({ filter: /\/node_modules\/@fastify\/(?:ajv-compiler|fast-json-stringify-compiler)\/index\.js$/ }, () => ({
      contents: '',
    }));
  },
};

/** The playground's engine is a script of its own: see src/playground/engine-script.ts. */
const builtEngine: Plugin = {
  name: 'built-engine',
  setup: (build) => {
    build.onLoad({ filter: /\/src\/playground\/engine-script\.ts$/ }, async () => ({
      contents: `export const engineScript = async () => ${JSON.stringify(await engineScript())};`,
    }));
  },
};

export const bundleOptions = {
  absWorkingDir: project,
  entryPoints: [join(project, 'src/main.ts')],
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Names stay, so that a stack trace says where it happened.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  plugins: [clientLibraryWithoutModels, noSchemaCompilers, oneLocale, builtEngine],
  // For the packages in CommonJS.
  banner: { js: "import { createRequire as requireFrom } from 'node:module';const require = requireFrom(import.meta.url);" },
} as const satisfies BuildOptions;
