/** kubectl's own reader of manifests, as a program that is asked text by text (test/cluster/tools/kubernetes/decoder). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export type Answer = { readonly documents: readonly unknown[] } | { readonly error: string };

export class Decoder {
  readonly #child;
  readonly #lines;

  /** @param path of the program */
  constructor(path: string) {
    this.#child = spawn(path, ['-stream'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** One answer for each text, in their order. */
  async decode(texts: readonly string[]): Promise<Answer[]> {
    this.#child.stdin.write(texts.map((text) => `${JSON.stringify(text)}\n`).join(''));
    const answers: Answer[] = [];
    while (answers.length < texts.length) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error('the decoder ended early');
      answers.push(parseExactly(value));
    }
    return answers;
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}

/** JSON whose integers stay what they are beyond the precision of a double. */
function parseExactly(json: string): Answer {
  return JSON.parse(json, function reviver(_key, value: unknown, context?: { source?: string }) {
    const isLong = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '');
    return isLong ? BigInt(context?.source ?? '0') : value;
  });
}
