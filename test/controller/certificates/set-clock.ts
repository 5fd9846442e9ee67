/**
 * Preloaded into a process whose wall clock a test sets: `--import=…/set-clock.ts?file=PATH`, where the file holds the milliseconds by which
 * it is ahead. What measures time by the monotonic clock, and TLS, go on as they are.
 */
import { readFileSync } from 'node:fs';

const file = new URL(import.meta.url).searchParams.get('file') ?? '';
const RealDate = Date;
const ahead = (): number => Number(readFileSync(file, 'utf8'));

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: readonly unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now() + ahead()] : args, newTarget) as object,
  get: (target, key, receiver) => (key === 'now' ? () => RealDate.now() + ahead() : Reflect.get(target, key, receiver)) as unknown,
});
