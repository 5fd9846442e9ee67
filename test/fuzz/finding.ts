/** What a fuzzer found: an input for which something does not hold that holds for every input. */

export class Finding extends Error {
  readonly code = 'FUZZ_FINDING';
  readonly input: Buffer;

  constructor(sentence: string, input: Buffer | string, cause?: unknown) {
    super(sentence, { cause });
    this.name = 'Finding';
    this.input = Buffer.from(input);
  }
}

/** One kind of input. @returns what became of it, a word that is counted; throws a Finding */
export type Target = (seed: number, execution: number) => string;
