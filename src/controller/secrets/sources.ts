/** Where the content of pull secrets comes from: Secrets of the release namespace that are watched one by one, and tokens of clouds. */
import { describeError } from '../../cluster/api-error.ts';
import { recordEvent } from '../../cluster/events.ts';
import type { ResourceWatch } from '../../cluster/watch.ts';
import type { RegistryPolicy, RewritePolicy } from '../../policy/types.ts';
import { dockerConfigJson, dockerConfigKey, readDockerConfigSecret } from '../../registry/credentials.ts';
import { cloudProvider } from '../../registry/provider.ts';
import { keepFresh, type Refresher } from '../../registry/refresh.ts';
import { contentOf, secretsPath, type Content, type SecretObject } from './copy.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { observedWatch } from '../observed-watch.ts';

/** One source; the content that was good last stays when a later one is not. */
interface Source {
  /** What it is made from: another text is another source. */
  readonly definition: string;
  content: Content | null;
  isReady: boolean;
  readonly refresher?: Refresher;
  readonly close: () => Promise<void>;
}

export class Sources {
  readonly #context: ReconcilerContext;
  readonly #changed: () => void;
  /** By registry. */
  readonly #sources = new Map<string, Source>();
  readonly #closing = new Set<Promise<void>>();
  readonly #stopReading: () => void;

  constructor(context: ReconcilerContext, changed: () => void) {
    this.#context = context;
    this.#changed = changed;
    this.#stopReading = context.metrics.onScrape(() => this.#measure());
  }

  content(registry: string): Content | null {
    return this.#sources.get(registry)?.content ?? null;
  }

  /** Registries whose credentials could not be read, or not lately. */
  unready(): string[] {
    return [...this.#sources].flatMap(([registry, { isReady }]) => (isReady ? [] : [registry]));
  }

  /** Opens what the policy names, closes what it does not name any more. */
  follow(policy: RewritePolicy): void {
    const wanted = Object.entries(policy.registries).filter(([, { credentials }]) => credentials !== undefined);
    const definitions = new Map(wanted.map(([registry, settings]) => [registry, definitionOf(settings)]));
    for (const [registry, source] of this.#sources) if (definitions.get(registry) !== source.definition) this.#drop(registry, source);
    for (const [registry, settings] of wanted) if (!this.#sources.has(registry)) this.#open(registry, settings);
  }

  async close(): Promise<void> {
    this.#stopReading();
    for (const [registry, source] of this.#sources) this.#drop(registry, source);
    await Promise.all(this.#closing);
  }

  #drop(registry: string, source: Source): void {
    const { sourceReady, tokenAge, tokenExpiry } = this.#context.metrics;
    this.#sources.delete(registry);
    for (const gauge of [sourceReady, tokenAge, tokenExpiry]) gauge.remove({ registry });
    const closed = source.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  #open(registry: string, settings: RegistryPolicy): void {
    const { credentials } = settings;
    if (credentials === undefined) return;
    const definition = definitionOf(settings);
    this.#sources.set(
      registry,
      'secret' in credentials
        ? this.#openSecret(registry, credentials.secret, definition)
        : this.#openProvider(registry, settings, definition),
    );
  }

  #openSecret(registry: string, name: string, definition: string): Source {
    const { namespace } = this.#context.options;
    const found = (secret: SecretObject | undefined): void => this.#readSecret(source, { registry, name, secret });
    const watch: ResourceWatch<SecretObject> = observedWatch<SecretObject>(this.#context, `source:${registry}`, {
      path: secretsPath(namespace),
      fieldSelector: `metadata.name=${name}`,
      project: ({ apiVersion = 'v1', kind = 'Secret', metadata, type, data }) => ({
        apiVersion,
        kind,
        ...(metadata && { metadata }),
        ...(type !== undefined && { type }),
        data: pickConfig(data),
      }),
      onEvent: (change) => {
        if (change.type === 'synced' && watch.list().length > 0) return;
        found(change.type === 'synced' || change.type === 'deleted' ? undefined : change.object);
      },
    });
    const source: Source = { definition, content: null, isReady: false, close: () => watch.close() };
    return source;
  }

  #readSecret(source: Source, { registry, name, secret }: { registry: string; name: string; secret: SecretObject | undefined }): void {
    const key = `${this.#context.options.namespace}/${name}`;
    source.isReady = false;
    if (secret === undefined)
      return this.#warn(registry, name, `Secret ${key} is not there; create it with \`kubectl create secret docker-registry\``);
    try {
      readDockerConfigSecret(key, secret);
    } catch (error) {
      return this.#warn(registry, name, describeError(error));
    }
    source.isReady = true;
    // The text as it is: its keys may have paths, and its entries fields that only a kubelet knows.
    this.#use(source, registry, secret.data?.[dockerConfigKey] ?? '');
  }

  #openProvider(registry: string, { credentials, host }: RegistryPolicy, definition: string): Source {
    if (credentials === undefined || 'secret' in credentials) throw new TypeError(`registry ${registry} names no provider`);
    let source: Source = { definition, content: null, isReady: false, close: async () => {} };
    try {
      const refresher = keepFresh(cloudProvider(credentials, host), {
        onCredential: (entries) => {
          source.isReady = true;
          this.#use(source, registry, Buffer.from(dockerConfigJson(entries)).toString('base64'));
        },
        onFailure: ({ error, failures, retryIn }) => {
          source.isReady = false;
          this.#context.log.warn(
            { registry, reason: describeError(error), failures, retryInSeconds: Math.round(retryIn / 1000) },
            'no new token; the last one stays in use',
          );
        },
      });
      source = { ...source, refresher, close: () => refresher.stop() };
    } catch (error) {
      this.#context.log.error({ registry, reason: describeError(error) }, 'the credentials of a registry cannot be used');
    }
    return source;
  }

  #use(source: Source, registry: string, encoded: string): void {
    const content = contentOf(encoded);
    if (source.content?.hash === content.hash) return;
    source.content = content;
    this.#context.log.info({ registry, content: content.hash }, 'credentials read');
    this.#changed();
  }

  #warn(registry: string, name: string, reason: string): void {
    const { cluster, log, options } = this.#context;
    log.warn({ registry, reason }, 'the credentials of a registry cannot be read; copies are kept as they are');
    const regarding = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: options.namespace, name } };
    void recordEvent(cluster, {
      regarding,
      reason: 'SourceUnreadable',
      message: `${reason}. Copies for registry ${registry} are kept as they are.`,
      type: 'Warning',
      action: 'ReadSource',
    });
  }

  #measure(): void {
    const { metrics } = this.#context;
    for (const [registry, { isReady, refresher }] of this.#sources) {
      metrics.sourceReady.set({ registry }, isReady ? 1 : 0);
      const { ageSeconds, expiresAt } = refresher?.status() ?? { ageSeconds: null, expiresAt: null };
      if (ageSeconds !== null) metrics.tokenAge.set({ registry }, ageSeconds);
      if (expiresAt !== null) metrics.tokenExpiry.set({ registry }, expiresAt.getTime() / 1000);
    }
  }
}

/** The host belongs to it: a token is written for a host. */
const definitionOf = ({ credentials, host }: RegistryPolicy): string =>
  JSON.stringify(credentials !== undefined && 'secret' in credentials ? credentials : [credentials, host]);

function pickConfig(data: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const encoded = data?.[dockerConfigKey];
  return encoded === undefined ? {} : { [dockerConfigKey]: encoded };
}
