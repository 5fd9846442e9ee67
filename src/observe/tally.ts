/**
 * Counting on the path of a request. prom-client checks the labels and makes a key of them for every count, which costs more than all
 * the counts of a review together (docs/design/performance.md); so they are plain numbers until somebody asks for them.
 */
import { Counter, Histogram, type CounterConfiguration, type HistogramConfiguration } from 'prom-client';

/** What was counted since it was last asked for. */
export class Tally {
  #count = 0;

  add(): void {
    this.#count += 1;
  }

  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}

/** Values that wait to be sorted into buckets; more than that are sorted at once. */
const longestQueue = 512;

export class Observations {
  readonly #waiting = new Float64Array(longestQueue);
  readonly #observe: (value: number) => void;
  #length = 0;

  constructor(observe: (value: number) => void) {
    this.#observe = observe;
  }

  add(value: number): void {
    this.#waiting[this.#length] = value;
    this.#length += 1;
    if (this.#length === longestQueue) this.flush();
  }

  flush(): void {
    for (const value of this.#waiting.subarray(0, this.#length)) this.#observe(value);
    this.#length = 0;
  }
}

/** What counts for some labels; always the same one for the same labels. */
export type Labelled<Label extends string, Kind> = (labels: Readonly<Record<Label, string>>) => Kind;
export type Tallies<Label extends string> = Labelled<Label, Tally>;

export function talliedCounter<Label extends string>(configuration: CounterConfiguration<Label>): Tallies<Label> {
  const { find, all } = labelled(configuration.labelNames ?? [], () => new Tally());
  const counter: Counter<Label> = new Counter({
    ...configuration,
    collect: () => {
      for (const { labels, kind } of all()) {
        const count = kind.take();
        if (count > 0) counter.inc(labels, count);
      }
    },
  });
  return find;
}

export function queuedHistogram<Label extends string>(configuration: HistogramConfiguration<Label>): Labelled<Label, Observations> {
  const { find, all } = labelled(configuration.labelNames ?? [], (labels) => new Observations((value) => histogram.observe(labels, value)));
  const histogram: Histogram<Label> = new Histogram({
    ...configuration,
    collect: () => {
      for (const { kind } of all()) kind.flush();
    },
  });
  return find;
}

interface Found<Label extends string, Kind> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly kind: Kind;
}

function labelled<Label extends string, Kind>(
  names: readonly Label[],
  make: (labels: Readonly<Record<Label, string>>) => Kind,
): { readonly find: Labelled<Label, Kind>; readonly all: () => Iterable<Found<Label, Kind>> } {
  const known = new Map<string, Found<Label, Kind>>();
  const find = (labels: Readonly<Record<Label, string>>): Kind => {
    const key = JSON.stringify(names.map((name) => labels[name]));
    const found = known.get(key) ?? { labels, kind: make(labels) };
    known.set(key, found);
    return found.kind;
  };
  return { find, all: () => known.values() };
}
