/** `npm run playground`: the playground as one file, dist/playground.html. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programFile } from '../../src/cli/program-files.ts';
import { playgroundPage } from '../../src/playground/page.ts';
import { project } from '../bundle/options.ts';

const file = join(project, 'dist/playground.html');
mkdirSync(join(project, 'dist'), { recursive: true });
writeFileSync(file, await playgroundPage(programFile('examples/sample.yaml')));
process.stdout.write(`${file}\n`);
