#!/usr/bin/env node
// What npm links as `transship` and `kubectl-transship`: the bundle in a package, the sources in a checkout. Plain enough for an old Node to read.
import { existsSync } from 'node:fs';

const oldest = 24;
const source = new URL('../src/main.ts', import.meta.url);

if (Number(process.versions.node.split('.')[0]) < oldest) {
  process.stderr.write(
    `transship needs Node.js ${oldest} or newer and was started with ${process.version}: install a newer one, https://nodejs.org/\n`,
  );
  process.exitCode = 2;
} else {
  await import(existsSync(source) ? source.href : new URL('../dist/bundle/main.js', import.meta.url).href);
}
