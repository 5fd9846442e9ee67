/** What must hold at the end of a soak. */
import type { ComparedSample } from './backend.ts';
import type { Counts } from './load.ts';

export interface Soaked {
  readonly counts: Counts;
  /** Of the process that was there all the time, in order. */
  readonly samples: readonly ComparedSample[];
  /** Of the processes that were replaced. */
  readonly exitCodes: readonly (number | null)[];
  readonly errors: readonly string[];
  /** Reviews that the engine could not decide. */
  readonly undecided: number;
  readonly policies: number;
  readonly refusedPolicies: number;
  readonly certificates: number;
}

export interface Row {
  readonly measure: string;
  readonly value: string;
  /** Empty where the figure is only told. */
  readonly bound: string;
  readonly holds: boolean;
}

const megabyte = 1024 * 1024;
/** Bytes that a process has at most, whatever happens. Half of it is V8's young and old space before a collection that nobody forces. */
const mostMemory = 400 * megabyte;
/** Bytes by which the end may be above the middle: what fragmentation does, where a leak goes on. */
const mostGrowth = 32 * megabyte;
const mostHandles = 200;
const mostHandleGrowth = 20;
/** Seconds by which half of all samples may be later than the loop that makes the load: a busy machine makes both of them late. */
const mostLag = 0.25;

export function verdict(soaked: Soaked): Row[] {
  const { counts, exitCodes, errors } = soaked;
  const failed = counts.failures.length;
  const wrongExits = exitCodes.filter((code) => code !== 0).length;
  return [
    told('requests answered', counts.answered, 'at least 1', counts.answered > 0),
    told('of these patched', counts.patched, 'at least 1', counts.patched > 0),
    told('of these refused with 400 (broken on purpose)', counts.refused),
    told('times a 503 asked to come again', counts.postponed),
    told('failed requests', failed, '0', failed === 0),
    told('reviews that could not be decided', soaked.undecided, '0', soaked.undecided === 0),
    told('policies loaded', soaked.policies, 'at least 1', soaked.policies > 0),
    told('policies refused (broken on purpose)', soaked.refusedPolicies),
    told('certificates rotated', soaked.certificates, 'at least 1', soaked.certificates > 0),
    told('processes replaced', exitCodes.length, 'at least 1', exitCodes.length > 0),
    told('of these ended with another code than 0', wrongExits, '0', wrongExits === 0),
    told('errors logged', errors.length, '0', errors.length === 0),
    ...resources(soaked.samples),
  ];
}

const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

function resources(samples: readonly ComparedSample[]): Row[] {
  const memory = known(samples.map((sample) => sample.memory));
  const handles = known(samples.map((sample) => sample.handles));
  const lag = median(samples.map((sample) => Math.max(0, sample.lag - sample.ownLag)));
  const worst = Math.max(...samples.map((sample) => sample.lag));
  const rows = [
    within('event loop later than that of the load, median (ms)', lag * 1000, mostLag * 1000),
    told('event loop late, worst sample (ms)', Math.round(worst * 1000)),
  ];
  if (memory.length === 0) return rows;
  return [
    ...rows,
    within('resident memory, most (MiB)', Math.max(...memory) / megabyte, mostMemory / megabyte),
    within('growth from the second quarter to the last (MiB)', growth(memory) / megabyte, mostGrowth / megabyte),
    within('open handles, most', Math.max(...handles), mostHandles),
    within('growth from the second quarter to the last', growth(handles), mostHandleGrowth),
  ];
}

/** Medians are compared, since memory is a saw. The first quarter is warming up. */
export function growth(values: readonly number[]): number {
  const quarter = Math.floor(values.length / 4);
  return median(values.slice(-Math.max(1, quarter))) - median(values.slice(quarter, Math.max(1, 2 * quarter)));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** What is no number was not measured, and holds nothing. */
function within(measure: string, value: number, most: number): Row {
  return { measure, value: value.toFixed(0), bound: `at most ${most}`, holds: value <= most };
}

function told(measure: string, value: number, bound = '', holds = true): Row {
  return { measure, value: String(value), bound, holds };
}
