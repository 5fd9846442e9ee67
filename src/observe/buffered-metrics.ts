/**
 * Metrics on the request path. For every sample prom-client checks the labels and builds a key from them, which costs more than all other
 * counting of a review (docs/design/request-path.md); so values are plain numbers until /metrics is scraped.
 */
import { Counter, Gauge, Histogram, type CounterConfiguration, type GaugeConfiguration, type HistogramConfiguration } from 'prom-client';

/** Values since the last drain. */
export class BufferedCounter {
  #count = 0;

  inc(): void {
    this.#count += 1;
  }

  drain(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}

/** Maximum number of observations that wait to be sorted into buckets; the next one triggers a drain. */
const maxBuffered = 512;

export class BufferedHistogram {
  readonly #buffer = new Float64Array(maxBuffered);
  readonly #observe: (value: number) => void;
  #length = 0;

  constructor(observe: (value: number) => void) {
    this.#observe = observe;
  }

  observe(value: number): void {
    this.#buffer[this.#length] = value;
    this.#length += 1;
    if (this.#length === maxBuffered) this.drain();
  }

  drain(): void {
    for (const value of this.#buffer.subarray(0, this.#length)) this.#observe(value);
    this.#length = 0;
  }
}

/** One metric by its labels; equal labels always give the same child, like `labels()` of prom-client. */
export type ByLabels<Label extends string, Child> = (labels: Readonly<Record<Label, string>>) => Child;
export type BufferedCounters<Label extends string> = ByLabels<Label, BufferedCounter>;

/** A child is in /metrics as soon as it is created, with 0. */
export function bufferedCounter<Label extends string>(configuration: CounterConfiguration<Label>): BufferedCounters<Label> {
  const { find, all } = byLabels(configuration.labelNames ?? [], () => new BufferedCounter());
  const counter: Counter<Label> = new Counter({
    ...configuration,
    collect: () => {
      for (const { labels, child } of all()) counter.inc(labels, child.drain());
    },
  });
  return find;
}

export function bufferedHistogram<Label extends string>(configuration: HistogramConfiguration<Label>): ByLabels<Label, BufferedHistogram> {
  const { find, all } = byLabels(configuration.labelNames ?? [], (labels) => {
    histogram.zero(labels);
    return new BufferedHistogram((value) => histogram.observe(labels, value));
  });
  const histogram: Histogram<Label> = new Histogram({
    ...configuration,
    collect: () => {
      for (const { child } of all()) child.drain();
    },
  });
  return find;
}

/** Sets a function that is called at each scrape for these labels. */
export type ReadGauge<Label extends string> = (labels: Readonly<Record<Label, string>>, read: () => number) => void;

export function readGauge<Label extends string>(configuration: GaugeConfiguration<Label>): ReadGauge<Label> {
  const { find, all } = byLabels(configuration.labelNames ?? [], (): { read: () => number } => ({ read: () => 0 }));
  const gauge: Gauge<Label> = new Gauge({
    ...configuration,
    collect: () => {
      for (const { labels, child } of all()) gauge.set(labels, child.read());
    },
  });
  return (labels, read) => {
    find(labels).read = read;
  };
}

interface Found<Label extends string, Child> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly child: Child;
}

/** The children with the same first labels; at the last label, one child. */
interface Level<Child> {
  readonly next: Map<string, Level<Child>>;
  child?: Child;
}

function byLabels<Label extends string, Child>(
  names: readonly Label[],
  make: (labels: Readonly<Record<Label, string>>) => Child,
): { readonly find: ByLabels<Label, Child>; readonly all: () => readonly Found<Label, Child>[] } {
  const all: Found<Label, Child>[] = [];
  // Nested maps, one level per label: building a key from all labels would cost more than the lookups.
  const root: Level<Child> = { next: new Map() };
  const find = (labels: Readonly<Record<Label, string>>): Child => {
    let level = root;
    for (const name of names) {
      const known = level.next.get(labels[name]);
      const next = known ?? { next: new Map() };
      if (known === undefined) level.next.set(labels[name], next);
      level = next;
    }
    if (level.child !== undefined) return level.child;
    const child = make(labels);
    level.child = child;
    all.push({ labels, child });
    return child;
  };
  return { find, all: () => all };
}
