/** The post-renderer as Helm 4 runs it, as a plugin, and as Helm 3 does, as a program. */
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { binary, skipReason } from '../cluster/binaries.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const plugin = join(project, 'plugins/helm-post-renderer');

const root = t.testdir({
  bin: { transship: `#!/bin/sh\nexec ${process.execPath} ${project}src/main.ts "$@"\n` },
  empty: {},
  chart: {
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
    templates: {
      'web.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web, image: nginx:1.27 }] }\n',
      'hook.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata: { name: hook, annotations: { helm.sh/hook: pre-install } }\nspec: { containers: [{ name: hook, image: busybox:1 }] }\n',
    },
  },
  'policy.yaml':
    'apiVersion: transship.dev/v1\nkind: RewritePolicy\nregistries: { mirror: { host: mirror.example.com } }\nrules: [{ name: hub, match: { images: [docker.io], namespaces: [team-*] }, rewrite: { registry: mirror, as: path } }]\n',
});
chmodSync(join(root, 'bin/transship'), 0o755);

const { NODE_OPTIONS: _nodeOptions, ...environment } = process.env;

/** Helm with folders of its own: a plugin of Helm 4 is one that Helm 3 cannot read. */
async function helm(
  program: 'helm' | 'helm3',
  args: readonly string[],
  path = `${join(root, 'bin')}:${process.env['PATH']}`,
): Promise<string> {
  const env = {
    ...environment,
    PATH: path,
    HELM_CACHE_HOME: join(root, program, 'cache'),
    HELM_CONFIG_HOME: join(root, program, 'config'),
    HELM_DATA_HOME: join(root, program, 'data'),
  };
  return (await promisify(execFile)(binary(program), [...args], { env })).stdout;
}

function images(manifests: string): Record<string, string> {
  const pods = parseAllDocuments(manifests).map(
    (document) => document.toJS() as { metadata: { name: string }; spec: { containers: { image: string }[] } } | null,
  );
  return Object.fromEntries(pods.flatMap((pod) => (pod === null ? [] : [[pod.metadata.name, pod.spec.containers[0]?.image ?? '']])));
}

const template = ['template', 'shop', join(root, 'chart'), '--namespace', 'team-a'];
const policy = ['--post-renderer-args', `--policy=${join(root, 'policy.yaml')}`, '--post-renderer-args', '--namespace=team-a'];
const rewritten = 'mirror.example.com/library/';
const skip = skipReason({ level: 1 });

t.test('Helm 4: the plugin rewrites what the chart makes, hooks too', { skip }, async (tt) => {
  await helm('helm', ['plugin', 'install', plugin]);
  const found = images(await helm('helm', [...template, '--post-renderer', 'transship', ...policy]));
  tt.strictSame(found, { web: `${rewritten}nginx:1.27`, hook: `${rewritten}busybox:1` });
});

t.test('Helm 4: a policy that cannot be read ends the command', { skip }, async (tt) => {
  const words = [...template, '--post-renderer', 'transship', '--post-renderer-args', '--policy=/nowhere.yaml'];
  // Helm 4.2 does not show what a post-renderer says; the guide tells how to see it.
  await tt.rejects(helm('helm', words), { code: 1, message: /post-renderer plugin "transship"/ });
});

t.test('Helm 3: the same program; its hooks are not given to a post-renderer', { skip }, async (tt) => {
  const found = images(await helm('helm3', [...template, '--post-renderer', join(plugin, 'post-render'), ...policy]));
  tt.strictSame(found, { web: `${rewritten}nginx:1.27`, hook: 'busybox:1' });
});

t.test('without the command line on the PATH the message says what to install', { skip }, async (tt) => {
  const words = [...template, '--post-renderer', join(plugin, 'post-render'), ...policy];
  const failure = await helm('helm3', words, '/usr/bin:/bin').catch((error: { stderr: string }) => error.stderr);
  tt.match(failure, 'there is no transship on the PATH; install the command line first');
});
