/**
 * Reads and writes one Lease; every write depends on the version that was read. https://kubernetes.io/docs/concepts/architecture/leases/
 */
import { readJson, apiErrorOf } from './api-response.ts';
import type { Cluster } from './connection.ts';

export interface LeaseRecord {
  /** Empty when there is no holder. */
  readonly holder: string;
  /** How long the holder may go without renewing. */
  readonly seconds: number;
  readonly version: string;
  readonly acquired: string | undefined;
  readonly transitions: number;
}

interface Lease {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly leaseTransitions?: number;
  };
}

interface LeaseName {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
}

export class LeaseResource {
  readonly #cluster: Cluster;
  readonly #name: LeaseName;
  readonly #seconds: number;
  readonly #collection: string;
  readonly #path: string;

  constructor(cluster: Cluster, name: LeaseName, seconds: number) {
    this.#cluster = cluster;
    this.#name = name;
    this.#seconds = seconds;
    this.#collection = `/apis/coordination.k8s.io/v1/namespaces/${name.namespace}/leases`;
    this.#path = `${this.#collection}/${name.name}`;
  }

  /** Null when the Lease does not exist. */
  async read(signal: AbortSignal): Promise<LeaseRecord | null> {
    const response = await this.#cluster.request(this.#path, { signal });
    if (response.status === 404) {
      await apiErrorOf(this.#path, response);
      return null;
    }
    return this.#recordOf(await readJson(`GET ${this.#path}`, response));
  }

  /**
   * Acquires or renews the Lease.
   *
   * @param over the record that is replaced, null to create the Lease
   * @throws ApiError 409 when another client has written since
   */
  async write(over: LeaseRecord | null, signal: AbortSignal): Promise<LeaseRecord> {
    const { identity } = this.#name;
    const now = microTime();
    const isOurs = over?.holder === identity;
    return this.#send(over, signal, {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#seconds),
      acquireTime: isOurs ? (over.acquired ?? now) : now,
      renewTime: now,
      leaseTransitions: over === null || isOurs ? (over?.transitions ?? 0) : over.transitions + 1,
    });
  }

  /**
   * Releases the Lease if this process holds it.
   *
   * @throws ApiError 409 when another client writes at the same time
   */
  async giveUp(signal: AbortSignal): Promise<void> {
    const record = await this.read(signal);
    if (record?.holder !== this.#name.identity) return;
    // An empty holder would do, but client-go candidates also look at the duration.
    await this.#send(record, signal, {
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: microTime(),
      leaseTransitions: record.transitions,
    });
  }

  async #send(over: LeaseRecord | null, signal: AbortSignal, spec: object): Promise<LeaseRecord> {
    const { namespace, name } = this.#name;
    const version = over === null ? {} : { resourceVersion: over.version };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name, ...version }, spec };
    const [method, path] = over === null ? ['POST', this.#collection] : ['PUT', this.#path];
    return this.#recordOf(await readJson(`${method} ${path}`, await this.#cluster.request(path, { method, body, signal })));
  }

  #recordOf(body: unknown): LeaseRecord {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a Lease of the API server; each field is optional
    const { metadata, spec } = (body ?? {}) as Lease;
    return {
      holder: spec?.holderIdentity ?? '',
      seconds: spec?.leaseDurationSeconds ?? this.#seconds,
      version: metadata?.resourceVersion ?? '',
      acquired: spec?.acquireTime,
      transitions: spec?.leaseTransitions ?? 0,
    };
  }
}

/** For people only; nothing compares it. */
export const microTime = (): string => new Date().toISOString().replace('Z', '000Z');
