/** Levels of the log, the most detailed first. Apart from the log itself, so that the command line need not load it to name them. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
