/**
 * `npm run bundle [-- FOLDER]`: the program of the image, as a few files with all that they need in them (dist/bundle). It starts in two
 * thirds of the time of the thousands of files it is made from, and takes a tenth of their room (docs/design/performance.md).
 */
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle, type Plugin } from 'esbuild';

const project = dirname(fileURLToPath(import.meta.url));
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

const packages = new Set(
  [program, library]
    .flatMap(({ metafile }) => Object.keys(metafile.inputs))
    .flatMap((file) => /^(?:.*?\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?:\/node_modules\/(?:@[^/]+\/)?[^/]+)*/.exec(file)?.[0] ?? []),
);
writeFileSync(join(folder, 'LICENSES.txt'), [...packages].toSorted().map(licenseOf).join('\n'));

/** Whoever gets the bundle gets the licences of what is in it, as they ask for. */
function licenseOf(path: string): string {
  const { name, version, license }: Readonly<Record<string, string>> = JSON.parse(
    readFileSync(join(project, path, 'package.json'), 'utf8'),
  );
  const find = (pattern: string): string[] => globSync(pattern, { cwd: join(project, path) }).toSorted();
  const own = find('{LICEN[CS]E,licen[cs]e,Licen[cs]e,UNLICENSE,NOTICE}*');
  // Some have it at the end of what they say about themselves.
  const texts = own.length > 0 ? own : find('{README,readme,Readme}*');
  return [`=== ${name} ${version} (${license})`, '', ...texts.map((file) => readFileSync(join(project, path, file), 'utf8')), ''].join(
    '\n',
  );
}
