/**
 * Where random tests begin: the same in each run, so that a run fails for what was changed and not by chance. The variable TRANSSHIP_RANDOM_SEED has
 * another one, such as a failed test printed, or `random` for a new one, which looks for what no run has found yet.
 */
const usual = 20_261_128;
const given = process.env['TRANSSHIP_RANDOM_SEED'];

/** @throws where the variable is neither a whole number nor `random` */
function seedOf(text: string): number {
  if (text === 'random') return Date.now() % 1_000_000;
  if (!/^-?\d{1,10}$/.test(text)) throw new Error(`TRANSSHIP_RANDOM_SEED is ${text}: write a whole number, or random`);
  return Number(text);
}

export const seed = given === undefined ? usual : seedOf(given);
