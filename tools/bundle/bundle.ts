/**
 * `npm run bundle [-- FOLDER]`: the program of the image, as a few files with everything they need in them
 * (dist/bundle), their licences and their bill of materials. It starts in two thirds of the time of the files it is made from.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle, type Plugin } from 'esbuild';
import { licenseTexts } from './licenses.ts';
import { bundledPackages } from './packages.ts';
import { billOfMaterials } from './sbom.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
/** Two folders deep, as the files of src are: what is read beside them (examples, package.json) is found from both. */
const folder = process.argv[2] ?? join(project, 'dist/bundle');

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

rmSync(folder, { recursive: true, force: true });
const program = await bundle({
  absWorkingDir: project,
  entryPoints: [join(project, 'src/main.ts')],
  outdir: folder,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Names stay, so that a stack trace says where it happened.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  plugins: [clientLibraryWithoutModels, noSchemaCompilers],
  // For the packages in CommonJS.
  banner: { js: "import { createRequire as requireFrom } from 'node:module';const require = requireFrom(import.meta.url);" },
});

const packages = bundledPackages(project, [program.metafile]);
const product: Readonly<Record<'name' | 'version' | 'license', string>> = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
writeFileSync(join(folder, 'LICENSES.txt'), licenseTexts(project, packages));
writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(product, packages), null, 2)}\n`);
