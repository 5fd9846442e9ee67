/** One pod of transship as a process of this machine: its container's arguments, its files, its probes, and what its status says of it. */
import { mkdtempSync } from 'node:fs';
import { get as httpGet, type RequestOptions } from 'node:http';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { V1Container, V1Pod } from '@kubernetes/client-node';

import { accountKubeconfig } from '../../cluster/account.ts';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import type { Supervised } from '../../cluster/process.ts';
import { mountVolumes } from './pod-volumes.ts';

const program = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const mergePatch = 'application/merge-patch+json';
/** Bytes of a log that a kubelet keeps as the termination message. https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ */
const maxTerminationMessage = 2048;

export interface PodAddress {
  /** On this machine. */
  readonly host: string;
  /** What its status says: an endpoint may not be a loopback address. */
  readonly podIP: string;
}

export class PodProcess {
  readonly address: PodAddress;
  readonly name: string;
  readonly #plane: ControlPlane;
  readonly #pod: V1Pod;
  readonly #folder: string;
  #process: Supervised | undefined;
  #starts = 0;
  #told = '';

  constructor(plane: ControlPlane, pod: V1Pod, address: PodAddress) {
    this.#plane = plane;
    this.#pod = pod;
    this.address = address;
    this.name = pod.metadata?.name ?? '';
    this.#folder = mkdtempSync(join(plane.folder, 'pod-'));
  }

  log(): string {
    return this.#process?.log() ?? '';
  }

  /** One turn of a kubelet: mounts, starts or starts again, probes, and writes the status when it is another one. */
  async sync(): Promise<void> {
    const isMounted = await mountVolumes(this.#plane, this.#pod, this.#folder);
    const exit = this.#process?.exitCode();
    if (exit !== undefined && this.#pod.spec?.restartPolicy === 'Never') return this.#tell(exit === 0 ? 'Succeeded' : 'Failed', exit);
    if (this.#process === undefined || exit !== undefined) {
      if (!isMounted) return;
      // A pod that ends at once is not started again at once.
      if (exit !== undefined) await this.#tell('Running', exit);
      await this.#start();
      return;
    }
    // A pod of a Job that is Running would be ended by kwok.
    if (this.#pod.spec?.restartPolicy === 'Never') return;
    await this.#tell('Running', (await this.#isReady()) ? 'ready' : 'unready');
  }

  /** SIGTERM, as for a pod that is deleted. */
  end(): Promise<number> {
    return this.#process?.stop({ gently: true }) ?? Promise.resolve(0);
  }

  get #container(): V1Container {
    const container = this.#pod.spec?.containers[0];
    if (container === undefined) throw new Error(`${this.name} has no container`);
    return container;
  }

  async #start(): Promise<void> {
    const { command = [], args = [], env = [] } = this.#container;
    const words = [...command, ...args].map((word) => this.#here(word));
    if (words[0] === 'node') words.shift();
    else words.unshift(program);
    if (args[0] === 'controller') {
      const account = { namespace: this.#pod.metadata?.namespace ?? '', name: this.#pod.spec?.serviceAccountName ?? '' };
      words.push('--kubeconfig', await accountKubeconfig(this.#plane, account));
    }
    const own = env.map(({ name, value, valueFrom }) => [name, valueFrom?.fieldRef ? this.#pod.metadata?.namespace : value]);
    this.#process = this.#plane.start({
      name: `${this.name}-${++this.#starts}`,
      command: process.execPath,
      args: words,
      env: { ...process.env, ...Object.fromEntries(own) },
    });
  }

  /** Paths of volumes, and the address to listen on, as they are on this machine. */
  #here(word: string): string {
    if (word.startsWith('--host=')) return `--host=${this.address.host}`;
    const mount = this.#container.volumeMounts?.find(({ mountPath }) => word.includes(mountPath));
    return mount === undefined ? word : word.replace(mount.mountPath, join(this.#folder, mount.name));
  }

  #isReady(): Promise<boolean> {
    const probe = this.#container.readinessProbe?.httpGet;
    if (probe === undefined) return Promise.resolve(true);
    const port = this.#container.ports?.find(({ name }) => name === probe.port)?.containerPort ?? Number(probe.port);
    const options = { host: this.address.host, port, path: probe.path, agent: false, timeout: 2_000 };
    return answers(probe.scheme === 'HTTPS', options);
  }

  /** @param state of the container: ready, unready, or the exit code of the last run */
  async #tell(phase: string, state: 'ready' | 'unready' | number): Promise<void> {
    if (this.#told === `${phase} ${state}`) return;
    this.#told = `${phase} ${state}`;
    const isReady = state === 'ready' ? 'True' : 'False';
    const time = new Date().toISOString();
    const message = this.log().slice(-maxTerminationMessage);
    const terminated = typeof state === 'number' ? { exitCode: state, reason: state === 0 ? 'Completed' : 'Error', message } : undefined;
    const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type, index) => ({
      type,
      status: index < 2 ? 'True' : isReady,
      lastTransitionTime: time,
    }));
    const containerStatus = {
      name: this.#container.name,
      image: this.#container.image,
      imageID: '',
      ready: state === 'ready',
      restartCount: Math.max(0, this.#starts - 1),
      state: terminated ? { terminated } : { running: { startedAt: time } },
      ...(terminated && { lastState: { terminated } }),
    };
    const status = {
      phase,
      conditions,
      containerStatuses: [containerStatus],
      podIP: this.address.podIP,
      podIPs: [{ ip: this.address.podIP }],
    };
    const path = `/api/v1/namespaces/${this.#pod.metadata?.namespace}/pods/${this.name}/status`;
    const { status: code, body } = await this.#plane.api.send('PATCH', path, { status }, mergePatch);
    if (code !== 200 && code !== 404) throw new Error(`${path}: ${code} ${JSON.stringify(body)}`);
  }
}

function answers(isHttps: boolean, options: RequestOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = (isHttps ? httpsGet : httpGet)({ ...options, ...(isHttps && { rejectUnauthorized: false }) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once('error', () => resolve(false));
    asked.once('timeout', () => asked.destroy());
  });
}
