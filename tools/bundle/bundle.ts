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

/** A file of its own for the client library, loaded when it is first needed: it would cost a controller in a pod, which needs none of it, 20 MiB. */
const clientLibrary: Plugin = {
  name: 'client-library',
  setup: (build) => {
    build.onLoad({ filter: /\/src\/cluster\/client-library\.ts$/ }, () => ({
      contents:
        "import { createRequire } from 'node:module'; const load = createRequire(import.meta.url); export const clientLibrary = () => load('./client-library.cjs');",
    }));
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

const common = {
  absWorkingDir: project,
  bundle: true,
  platform: 'node',
  target: 'node24',
  // Names stay, so that a stack trace says where it happened.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
} as const;

rmSync(folder, { recursive: true, force: true });
const program = await bundle({
  ...common,
  entryPoints: [join(project, 'src/main.ts')],
  outdir: folder,
  splitting: true,
  format: 'esm',
  plugins: [clientLibrary, noSchemaCompilers],
  // For the packages in CommonJS.
  banner: { js: "import { createRequire as requireFrom } from 'node:module';const require = requireFrom(import.meta.url);" },
});
const library = await bundle({
  ...common,
  stdin: { contents: "module.exports = require('@kubernetes/client-node');", resolveDir: project },
  outfile: join(folder, 'client-library.cjs'),
  format: 'cjs',
});

const packages = bundledPackages(project, [program.metafile, library.metafile]);
const product: Readonly<Record<'name' | 'version' | 'license', string>> = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
writeFileSync(join(folder, 'LICENSES.txt'), licenseTexts(project, packages));
writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(product, packages), null, 2)}\n`);
