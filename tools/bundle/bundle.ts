/**
 * `npm run bundle [-- FOLDER]`: the program of the image, as a few files with everything they need in them
 * (dist/bundle), their licences and their bill of materials. It starts in two thirds of the time of the files it is made from.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build as bundle } from 'esbuild';
import { licenseTexts } from './licenses.ts';
import { bundleOptions, project } from './options.ts';
import { bundledPackages } from './packages.ts';
import { billOfMaterials } from './sbom.ts';

/** Two folders deep, as the files of src are: what is read beside them (examples, package.json) is found from both. */
const folder = process.argv[2] ?? join(project, 'dist/bundle');

rmSync(folder, { recursive: true, force: true });
const program = await bundle({ ...bundleOptions, outdir: folder, splitting: true });

const packages = bundledPackages(project, [program.metafile]);
const product: Readonly<Record<'name' | 'version' | 'license', string>> = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
writeFileSync(join(folder, 'LICENSES.txt'), licenseTexts(project, packages));
writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(product, packages), null, 2)}\n`);
