/** The log: JSON lines on stderr, so that stdout is free for data. */
import { destination, pino, type Logger } from 'pino';
import { BatchedLogStream } from './batched-log-stream.ts';
import type { LogLevel } from './log-levels.ts';

/** Maximum number of characters that wait for a slow reader of the log; further lines are dropped, so that memory stays bounded. */
const maxBacklog = 8 * 1024 * 1024;

let second = 0;
/** ISO 8601 with second precision, as JSON. */
let secondText = '';

/** Formatting the whole time for each line would cost as much as the rest of the line. */
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
 * A failing log, as on a full disk, does not end the process: lines wait, up to `maxBacklog`. Lines that still wait at the end are lost,
 * because sonic-boom would retry for ever (pinojs/sonic-boom, index.js, flushBufferSync).
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
