/** Tells of images that have become missing: in one event for those of a registry that are found together, and at most once a minute. */
import { done, WorkQueue } from '../work-queue.ts';
import { missingText } from './verify-status.ts';

/** Milliseconds. */
const debounceMs = 2_000;
const intervalMs = 60_000;

export class MissingEvents {
  /** Images that no event has told of, by registry. */
  readonly #news = new Map<string, Set<string>>();
  readonly #queue: WorkQueue;

  /** @param record records an event with this message */
  constructor(record: (message: string) => void) {
    this.#queue = new WorkQueue({
      reconcile: async (registry) => {
        const images = [...(this.#news.get(registry) ?? [])].toSorted();
        this.#news.delete(registry);
        if (images.length > 0) record(missingText(registry, images));
        return done;
      },
      debounceMs,
      intervalMs,
    });
  }

  missing(registry: string, image: string): void {
    this.#news.set(registry, (this.#news.get(registry) ?? new Set<string>()).add(image));
    this.#queue.add(registry);
  }

  /** It is there by now, before an event told of it. */
  found(registry: string, image: string): void {
    this.#news.get(registry)?.delete(image);
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }
}
