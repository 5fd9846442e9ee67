/** Inputs of public bug reports of neighbouring tools (test/corpus/reported). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { tokens } from '../../src/patch/pointer.ts';
import { locate } from '../cluster/binaries.ts';
import { Decoder } from '../manifests/decoder.ts';
import { transship } from './terminal.ts';

interface Reported {
  readonly id: string;
  readonly reports: string;
  readonly command: string;
  readonly policy: string;
  readonly file?: string;
  readonly images?: readonly string[];
  readonly exit?: number;
  readonly contains?: readonly string[];
  readonly says?: readonly string[];
  readonly lineEnds?: 'CRLF';
  /** By index of the document and JSON Pointer. */
  readonly values?: Readonly<Record<string, unknown>>;
}

const folder = fileURLToPath(new URL('../corpus/reported/', import.meta.url));
const cases: readonly Reported[] = JSON.parse(readFileSync(`${folder}cases.json`, 'utf8'));
const program = locate('decoder');

for (const { id, reports, command, policy, file, images = [], exit = 0, contains = [], says = [], lineEnds, values } of cases) {
  test(`${id} (${reports})`, async (t) => {
    const named = file === undefined ? images : ['-f', `${folder}manifests/${file}`];
    const { code, stdout, stderr } = await transship([command, '--policy', `${folder}policies/${policy}`, ...named]);
    t.equal(code, exit, stderr);
    for (const text of contains) t.ok(stdout.includes(text), text);
    for (const text of says) t.ok(stderr.includes(text), text);
    if (lineEnds === 'CRLF') t.notMatch(stdout, /[^\r]\n/);
    if (values === undefined) return;
    if (program === undefined) {
      t.comment('what kubectl reads is not compared: the decoder is not built (npm run cluster:build)');
      return;
    }
    const decoder = new Decoder(program);
    const [answer] = await decoder.decode([stdout]);
    await decoder.close();
    const documents = answer !== undefined && 'documents' in answer ? answer.documents : [];
    for (const [place, value] of Object.entries(values)) {
      const [document = '', pointer = ''] = place.split(/:(.*)/s);
      t.same(
        tokens(pointer).reduce<unknown>((found, step) => Object(found)[step], documents[Number(document)]),
        value,
        place,
      );
    }
  });
}
