/** The log: JSON lines on stderr, so that stdout stays free for data. */
import { destination, pino, type Logger } from 'pino';
import { BatchedLogStream } from './batched-log-stream.ts';
import type { LogLevel } from './log-levels.ts';

/** Characters that may wait for a slow reader of the log; lines above that are dropped, or the memory would fill. */
const maxBacklog = 8 * 1024 * 1024;

let second = 0;
/** ISO 8601 up to the full second, as JSON. */
let secondText = '';

/** Formatting the whole time anew for each line would cost as much as all else of the line. */
function timestamp(): string {
  const now = Date.now();
  const milliseconds = now % 1000;
  if (now - milliseconds !== second) {
    second = now - milliseconds;
    secondText = `,"time":"${new Date(second).toISOString().slice(0, -'000Z'.length)}`;
  }
  return `${secondText}${String(milliseconds).padStart(3, '0')}Z"`;
}

/**
 * A log that cannot be written, as on a full disk, ends nothing: lines wait for room up to `maxBacklog`. What then waits at the end is
 * lost, because sonic-boom would try for ever (pinojs/sonic-boom, index.js, flushBufferSync).
 */
function survivingErrors<Stream extends ReturnType<typeof destination>>(stream: Stream): Stream {
  stream.on('error', () => {
    stream.flushSync = () => {};
  });
  return stream;
}

export function createLog(level: LogLevel): Logger {
  const lines = new BatchedLogStream({
    async: survivingErrors(destination({ dest: 2, sync: false, maxLength: maxBacklog })),
    sync: survivingErrors(destination({ dest: 2, sync: true })),
  });
  process.once('exit', () => lines.flushSync());
  return pino({ level, base: null, timestamp, formatters: { level: (label) => ({ level: label }) } }, lines);
}
