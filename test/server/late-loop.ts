/** Loaded before the program: SIGUSR2 makes its event loop late, as an overload does, and the next one lets it go. */
/** Milliseconds. A call takes some ten turns of the loop. */
const busy = 120;
let timer: NodeJS.Timeout | undefined;

process.on('SIGUSR2', () => {
  if (timer !== undefined) {
    clearInterval(timer);
    timer = undefined;
    return;
  }
  timer = setInterval(() => {
    const end = performance.now() + busy;
    while (performance.now() < end);
  }, 1);
});
