/** `npm run cluster`: a real API server with fake nodes and transship installed, to play with until Ctrl-C. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { binary, skipReason } from './binaries.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { installTransship } from './install.ts';

const policyFile = new URL('../../examples/sample.yaml', import.meta.url);
const namespace = 'demo';

const invitation = (plane: ControlPlane, installed: { clusterIP: string; policyFile: string }): string => `
A Kubernetes API server is ready, with one fake node. transship answers on ${installed.clusterIP}, behind its Service, as a process of this machine.
In another terminal:

  export KUBECONFIG=${plane.kubeconfig} PATH=${dirname(binary('kubectl'))}:$PATH

  kubectl -n ${namespace} run web --image=nginx:1.27
  kubectl -n ${namespace} create deployment app --image=quay.io/acme/app:1.0
  kubectl -n ${namespace} get pods -o custom-columns='POD:.metadata.name,STATE:.status.phase,IMAGE:.spec.containers[*].image,SECRETS:.spec.imagePullSecrets[*].name'

The fake nodes run no containers and give pods no addresses, so \`transship doctor\` finds that the Service has no endpoint.
Namespace ${namespace} has the label transship.dev/rewrite=enabled. The policy in use is ${installed.policyFile}: edit it and create another pod.
Ctrl-C takes everything down.`;

/** Resolves at Ctrl-C or SIGTERM. */
const endOfPlay = (): Promise<void> =>
  new Promise((resolve) => {
    // A socket in use would keep the process alive; here nothing may be in use for hours.
    const awake = setInterval(() => {}, 60_000);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearInterval(awake);
        resolve();
      });
    }
  });

async function play(): Promise<void> {
  const ended = endOfPlay();
  console.log('starting etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok …');
  const plane = await startControlPlane(undefined, { level: 3 });
  try {
    console.log('installing charts/transship with helm …');
    const installed = await installTransship(plane, { policy: readFileSync(policyFile, 'utf8') });
    await plane.createNamespace(namespace, { 'transship.dev/rewrite': 'enabled' });
    console.log(invitation(plane, installed));
    await ended;
  } finally {
    await plane.stop();
  }
}

const usage = 'npm run cluster takes no arguments: it starts a cluster with transship in it, and says how to use it.';
const args = process.argv.slice(2);
const missing = skipReason();
if (args.length > 0) console.log(usage);
else if (missing === false) await play();
else console.error(missing);
if (args.some((arg) => arg !== '--help' && arg !== '-h') || (args.length === 0 && missing !== false)) process.exitCode = 2;
