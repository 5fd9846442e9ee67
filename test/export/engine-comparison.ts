/** The same requests to the API server of each engine, and whether the same pods come of them. */
import { isDeepStrictEqual } from 'node:util';
import jsonPatch from 'fast-json-patch';
import { fallbackAnnotation, fallbackText } from '../../src/pod/fallback-record.ts';
import type { Api } from '../cluster/api.ts';
import type { Engine } from './engines.ts';
import type { PodLife, Step } from './pod-lives.ts';

interface Container {
  readonly name: string;
  readonly image: string;
}

/** A pod, or a Status with its message. */
interface Answer {
  readonly metadata: { readonly labels?: object; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
    readonly imagePullSecrets?: readonly { readonly name: string }[];
  };
  readonly message?: string;
}

export interface ComparedPod {
  readonly labels: object;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Answer['spec'];
}

interface Sent {
  readonly request: unknown;
  readonly answer: Answer;
}

export interface Difference {
  readonly namespace: string;
  readonly request: unknown;
  /** The pod of the first engine before the request; null for a new one. */
  readonly before: unknown;
  /** The pod of the first engine, or the API server's sentence where it refuses the request. */
  readonly after: unknown;
  /** Of each other engine, as a JSON Patch of it. */
  readonly others: readonly unknown[];
}

/** Of each kind of request. */
export interface Count {
  readonly requests: number;
  /** Where the first engine made another image of one that was sent. */
  readonly rewritten: number;
}

let podCount = 0;

export class EngineComparison {
  readonly counts = new Map<string, Count>();
  readonly #engines: readonly Engine[];
  readonly #form: (pod: ComparedPod, namespace: string) => unknown;

  /** @param form what of a pod is compared */
  constructor(engines: readonly Engine[], form: (pod: ComparedPod, namespace: string) => unknown) {
    this.#engines = engines;
    this.#form = form;
  }

  /** Null for a pod that is the same everywhere as long as it lives. */
  async live({ namespace, pod, isDryRun, steps }: PodLife): Promise<Difference | null> {
    podCount += 1;
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const url = `${path}/pod-${podCount}`;
    const named = { ...pod, metadata: { ...pod.metadata, name: `pod-${podCount}` } };
    const created = await this.#all((api) => request(api, 'POST', isDryRun ? `${path}?dryRun=All` : path, named));
    const difference = this.#compare('create', namespace, created, null);
    if (difference !== null || isDryRun || !created.every(isPod)) return difference;
    const changed = await this.#change(url, namespace, created, steps);
    await this.#all((api) => request(api, 'DELETE', `${url}?gracePeriodSeconds=0`));
    return changed;
  }

  async #change(url: string, namespace: string, created: readonly Sent[], steps: readonly Step[]): Promise<Difference | null> {
    let stored = created;
    for (const step of steps) {
      const next = await this.#all((api, index) => sendStep(api, url, stored[index]?.answer, step));
      const difference = this.#compare(step.kind, namespace, next, stored[0] ?? null);
      if (difference !== null) return difference;
      // A refused change leaves the pod as it is.
      if (next.every(isPod)) stored = next;
    }
    return null;
  }

  #all(send: (api: Api, index: number) => Promise<Sent>): Promise<Sent[]> {
    return Promise.all(this.#engines.map(({ plane }, index) => send(plane.api, index)));
  }

  #compare(kind: string, namespace: string, sent: readonly Sent[], before: Sent | null): Difference | null {
    const [first, ...others] = sent;
    if (first === undefined) return null;
    const { requests, rewritten } = this.counts.get(kind) ?? { requests: 0, rewritten: 0 };
    this.counts.set(kind, { requests: requests + 1, rewritten: rewritten + (isRewritten(first) ? 1 : 0) });
    const formOf = (each: Sent): unknown => (isPod(each) ? this.#form(compared(each.answer), namespace) : each.answer.message);
    if (others.every((other) => isDeepStrictEqual(formOf(other), formOf(first)))) return null;
    return {
      namespace,
      request: first.request,
      before: before === null ? null : compared(before.answer),
      after: formOf(first),
      others: others.map((other) => jsonPatch.compare([formOf(first)], [formOf(other)])),
    };
  }
}

const isPod = ({ answer }: Sent): boolean => answer.message === undefined;

function compared({ metadata, spec }: Answer): ComparedPod {
  return { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {}, spec };
}

/** For pods that two admission plug-ins change in either order: the entries of records and the pull secrets in the order of their names. */
export function unordered({ labels, annotations, spec }: ComparedPod): unknown {
  const records = Object.entries(annotations).map(([key, value]) => [key, key.startsWith('transship.dev/') ? entriesOf(value) : value]);
  const secrets = spec.imagePullSecrets?.map(({ name }) => name).toSorted();
  return { labels, annotations: Object.fromEntries(records), spec: { ...spec, imagePullSecrets: secrets } };
}

function entriesOf(record: string): unknown {
  try {
    return JSON.parse(record);
  } catch {
    return record;
  }
}

/** As kubectl: a PATCH is a strategic merge patch. */
async function request(api: Api, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: object): Promise<Sent> {
  const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
  const { body: answer } = await api.send<Answer>(method, url, body, type);
  return { request: body, answer };
}

function sendStep(api: Api, url: string, stored: Answer | undefined, step: Step): Promise<Sent> {
  if (stored === undefined) throw new Error(`${url} is not stored`);
  const { containers, initContainers = [], ephemeralContainers = [] } = stored.spec;
  const image = 'image' in step && step.image !== null ? { containers: withImage(containers, 0, step.image) } : {};
  switch (step.kind) {
    case 'image': {
      const list = step.list === 'containers' ? containers : initContainers;
      return request(api, 'PATCH', url, { spec: { [step.list]: withImage(list, step.at, step.image) } });
    }
    case 'labels':
      return request(api, 'PATCH', url, { metadata: { labels: step.labels }, spec: image });
    case 'annotations':
      return request(api, 'PATCH', url, { metadata: { annotations: step.annotations }, spec: image });
    case 'move': {
      const name = containers[step.at % containers.length]?.name ?? '';
      const last = { step: 1, from: 'quay.io/acme/app:1', to: step.recorded, at: '2026-06-01T12:00:00.000Z', reason: 'not-found' };
      const annotations = { [fallbackAnnotation]: fallbackText(new Map([[name, last]])) };
      return request(api, 'PATCH', url, { metadata: { annotations }, spec: { containers: [{ name, image: step.image }] } });
    }
    case 'debug': {
      const added = step.images.map((each, index) => ({ name: `debug-${ephemeralContainers.length + index}`, image: each }));
      return request(api, 'PATCH', `${url}/ephemeralcontainers`, { spec: { ephemeralContainers: added } });
    }
    case 'replace': {
      const replaced = containers.map((each, index) => Object.assign({}, each, { image: step.images[index] ?? each.image }));
      return request(api, 'PUT', url, { ...stored, spec: { ...stored.spec, containers: replaced } });
    }
  }
}

function withImage(list: readonly Container[], at: number, image: string): object[] {
  const name = list[at % Math.max(list.length, 1)]?.name;
  return name === undefined ? [] : [{ name, image }];
}

const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const;

/** Whether an image that was sent is another one in the answer. */
function isRewritten({ request: sent, answer }: Sent): boolean {
  const asked = (sent as { spec?: Partial<Answer['spec']> }).spec ?? {};
  return (
    answer.message === undefined &&
    lists.some((list) =>
      asked[list]?.some(({ name, image }) => answer.spec[list]?.some((each) => each.name === name && each.image !== image)),
    )
  );
}
