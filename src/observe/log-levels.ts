/** Log levels, the most detailed first. In a separate file, so that the command line can list them without loading the logger. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
