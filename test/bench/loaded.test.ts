/** What `serve` loads: each of these would cost it tens of milliseconds and megabytes, for something that it never does. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'tap';

const hooks = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { process.stdout.write(url + '\\n'); return next(url, context); } });
await import(${JSON.stringify(new URL('../../src/cli/serve.ts', import.meta.url).href)});
process.stdout.write('fetch of Node itself: ' + process.moduleLoadList.some((name) => name.includes('deps/undici')) + '\\n');`;

test('serve loads no client, no issuer of certificates, no cloud', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', hooks], { maxBuffer: 16 * 1024 * 1024 });
  const packages = new Set(stdout.split('\n').flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []));
  t.ok(packages.has('fastify') && packages.has('zod'), 'the hook sees what is loaded');
  for (const name of [
    '@kubernetes/client-node',
    '@peculiar/x509',
    'reflect-metadata',
    'fast-json-patch',
    'undici',
    '@azure/identity',
    'google-auth-library',
    '@aws-sdk/client-ecr',
  ])
    t.notOk(packages.has(name), name);
  t.match(stdout, 'fetch of Node itself: false');
  // The table of flags names the controller's features.
  t.notMatch(stdout, /src\/(?:controller\/(?!options\.ts)|cluster\/|registry\/)/);
});
