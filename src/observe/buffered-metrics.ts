/**
 * Counting on the path of a request. For every count prom-client checks the labels and makes a key of them, which costs more than
 * all the counts of a review together (docs/design/request-path.md); so counts are plain numbers until /metrics is read.
 */
import { Counter, Gauge, Histogram, type CounterConfiguration, type GaugeConfiguration, type HistogramConfiguration } from 'prom-client';

/** What was counted since it was last drained. */
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

/** Values that wait to be sorted into buckets; the next one makes room. */
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

/** One metric by its labels; the same labels always give the same child, as with `labels()` of prom-client. */
export type ByLabels<Label extends string, Child> = (labels: Readonly<Record<Label, string>>) => Child;
export type BufferedCounters<Label extends string> = ByLabels<Label, BufferedCounter>;

/** A child is in /metrics from the moment it is asked for, with 0. */
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

/** Sets what is read at each scrape for these labels. */
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

/** The children that have the labels so far in common: at the last label, one. */
interface Level<Child> {
  readonly next: Map<string, Level<Child>>;
  child?: Child;
}

function byLabels<Label extends string, Child>(
  names: readonly Label[],
  make: (labels: Readonly<Record<Label, string>>) => Child,
): { readonly find: ByLabels<Label, Child>; readonly all: () => readonly Found<Label, Child>[] } {
  const all: Found<Label, Child>[] = [];
  // One map in another for each label: to make a key of all labels would cost more than the look-ups.
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
