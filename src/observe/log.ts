/** The log: JSON lines on stderr, so that stdout stays free for data. */
import { destination, pino, type Logger } from 'pino';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Characters that may wait for whoever reads the log; what comes above that is dropped, or the memory would fill. */
const longestBacklog = 8 * 1024 * 1024;

/** Bytes that are written at once: a write for every line would be a quarter of what a review costs (docs/design/performance.md). */
const writeSize = 4 * 1024;
/** Milliseconds after which fewer are written too. A process that ends by itself or by SIGTERM writes all of them. */
const longestWait = 100;

export function createLog(level: LogLevel): Logger {
  // Not synchronous: a reader that is stuck must not keep reviews from being answered.
  const stderr = destination({ dest: 2, sync: false, minLength: writeSize, periodicFlush: longestWait, maxLength: longestBacklog });
  return pino({ level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"`, formatters: { level: (label) => ({ level: label }) } }, stderr);
}
