/** `npm run image`: an OCI layout that is the same from every build, with everything that the Dockerfile says. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { programFiles } from '../../src/cli/program-files.ts';
import { Layout, mediaTypes, sha256, type Manifest } from '../../tools/image/layout.ts';
import { writeBase } from './base.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const root = t.testdir();
const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function image(args: readonly string[], umask = 0o022): Promise<Ended> {
  const words = [join(project, 'tools/image/image.ts'), ...args];
  const command = `umask ${umask.toString(8)} && exec "$0" "$@"`;
  const options = { cwd: root, env: { ...env, SOURCE_DATE_EPOCH: '1700000000' } };
  try {
    return { code: 0, ...(await promisify(execFile)('bash', ['-c', command, process.execPath, ...words], options)) };
  } catch (error) {
    return error as Ended;
  }
}

const base = join(root, 'base');
const output = join(root, 'first');

t.before(async () => {
  writeBase(base);
  const { code, stderr } = await image(['--base', base, '--output', output, '--revision', 'abc']);
  if (code !== 0) throw new Error(stderr);
});

t.test('two builds have the same digest, whatever the umask', async (tt) => {
  const second = join(root, 'second');
  const { code, stdout } = await image(['--base', base, '--output', second, '--revision', 'abc'], 0o077);
  tt.equal(code, 0);
  tt.match(stdout, new Layout(output).index().manifests[0]?.digest);
  tt.equal(readFileSync(join(second, 'index.json'), 'utf8'), readFileSync(join(output, 'index.json'), 'utf8'));
});

t.test('each platform has its image: the layers of the base, one more, and the settings of the Dockerfile', (tt) => {
  const layout = new Layout(output);
  const [index] = layout.index().manifests;
  const { manifests } = layout.readIndex(index?.digest ?? '');
  tt.strictSame(
    manifests.map(({ platform }) => platform),
    [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ],
  );
  for (const { digest, platform } of manifests) {
    const manifest = layout.readManifest(digest);
    const config = layout.readConfig(manifest.config.digest);
    tt.equal(config.architecture, platform?.architecture);
    tt.strictSame(
      manifest.layers.map((layer) => sha256(gunzipSync(layout.read(layer.digest)))),
      config.rootfs.diff_ids,
    );
    tt.equal(manifest.layers.length, 2);
    tt.match(config.config, { User: '65532:65532', WorkingDir: '/app', Cmd: ['help'], ExposedPorts: { '8443/tcp': {}, '9464/tcp': {} } });
    tt.match(
      config.config?.['Entrypoint'],
      ['node', '--max-semi-space-size=4', '--initial-old-space-size=48'],
      "the Dockerfile's and not the base's",
    );
    tt.strictSame(config.config?.['Env'], ['PATH=/usr/local/bin', 'NODE_ENV=production', 'MALLOC_ARENA_MAX=1']);
    tt.match(config.config?.['Labels'], {
      'org.opencontainers.image.revision': 'abc',
      'org.opencontainers.image.created': '2023-11-14T22:13:20.000Z',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
  }
  tt.end();
});

t.test('what is added is below 8 MB', (tt) => {
  const layout = new Layout(output);
  const { manifests } = layout.readIndex(layout.index().manifests[0]?.digest ?? '');
  const added = layout.readManifest(manifests[0]?.digest ?? '').layers.at(-1);
  const uncompressed = gunzipSync(layout.read(added?.digest ?? '')).length;
  tt.ok(uncompressed < 8e6, `${uncompressed} bytes`);
  tt.end();
});

t.test('the bill of materials refers to the index', (tt) => {
  const layout = new Layout(output);
  const [index, sbom] = layout.index().manifests;
  tt.equal(sbom?.artifactType, 'application/vnd.cyclonedx+json');
  const manifest: Manifest = layout.readManifest(sbom?.digest ?? '');
  tt.match(manifest.subject, { digest: index?.digest, size: index?.size, mediaType: mediaTypes.index });
  tt.match(JSON.parse(layout.read(manifest.layers[0]?.digest ?? '').toString('utf8')), { bomFormat: 'CycloneDX' });
  tt.end();
});

t.test('the Dockerfile copies what the program reads', (tt) => {
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const copied = new Set(
    [...dockerfile.replaceAll('\\\n', ' ').matchAll(/^COPY (?!--)(.*) \S+$/gm)].flatMap(([, files = '']) => files.split(/\s+/)),
  );
  for (const file of programFiles) tt.ok(copied.has(file), file);
  tt.end();
});

t.test('what cannot be built is said, and nothing is written', async (tt) => {
  const table: [args: string[], message: string][] = [
    [[], '--base is missing'],
    [['--base', base, '--output', output], 'exists; remove it'],
    [['--base', base, '--platform', 'linux/s390x'], 'has no image for linux/s390x; it has linux/amd64, linux/arm64'],
    [['--base', base, '--platform', 'amd64'], 'write it as linux/amd64'],
  ];
  for (const [args, message] of table) {
    const target = args.includes('--output') ? [] : ['--output', join(root, 'third')];
    const { code, stderr } = await image([...args, ...target]);
    tt.equal(code, 2, message);
    tt.match(stderr, message);
  }
  tt.notOk(existsSync(join(root, 'third/index.json')));
  rmSync(join(root, 'third'), { recursive: true, force: true });
});
