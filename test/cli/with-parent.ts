/** Loaded before the program in tests: ends it when the test's process is gone, however that ended. */
process.stdin.on('end', () => process.exit(1));
process.stdin.resume();
// It must not keep a program alive that would end by itself.
process.stdin.unref();
