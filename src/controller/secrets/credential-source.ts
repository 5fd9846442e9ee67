/** Source of the content of one registry's pull secrets. */
import type { Logger } from 'pino';

import type { RefreshStatus } from '../../registry/refresh.ts';
import type { Content } from './copy.ts';

export interface CredentialSource {
  /** The content that was read last; null before the first time. It is kept while the source cannot be read. */
  readonly content: () => Content | null;
  /** Whether the last read succeeded. */
  readonly isReady: () => boolean;
  /** What is wrong with the credentials of this registry, for people; null when nothing is. */
  readonly problem: () => string | null;
  /** For a token; absent for a Secret. */
  readonly status?: () => RefreshStatus;
  readonly close: () => Promise<void>;
}

/** The last content that was read from a source. */
export class LatestContent {
  readonly #registry: string;
  readonly #log: Logger;
  readonly #changed: () => void;
  #content: Content | null = null;

  /** @param changed called with each new content */
  constructor(registry: string, log: Logger, changed: () => void) {
    this.#registry = registry;
    this.#log = log;
    this.#changed = changed;
  }

  get(): Content | null {
    return this.#content;
  }

  set(content: Content): void {
    if (this.#content?.hash === content.hash) return;
    this.#content = content;
    this.#log.info({ registry: this.#registry, content: content.hash }, 'credentials read');
    this.#changed();
  }
}
