/** Whoever gets the bundle gets the licences of what is in it, as these licences ask for. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundledPackage } from './packages.ts';

export function licenseTexts(project: string, packages: readonly BundledPackage[]): string {
  return packages.map((each) => licenseText(project, each)).join('\n');
}

function licenseText(project: string, { name, version, license, path }: BundledPackage): string {
  const find = (pattern: string): string[] => globSync(pattern, { cwd: join(project, path) }).toSorted();
  const own = find('{LICEN[CS]E,licen[cs]e,Licen[cs]e,UNLICENSE,NOTICE}*');
  // Some packages have their licence at the end of the README.
  const files = own.length > 0 ? own : find('{README,readme,Readme}*');
  const texts = files.map((file) => readFileSync(join(project, path, file), 'utf8'));
  return [`=== ${name} ${version} (${license})`, '', ...texts, ''].join('\n');
}
