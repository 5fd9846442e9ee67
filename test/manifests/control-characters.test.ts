/** Which characters a manifest may have, in a string, in a comment and in JSON, as kubectl's own reader says. */
import { test } from 'tap';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { parseManifests } from '../../src/manifests/parse.ts';
import { transship, policy } from '../cli/terminal.ts';
import { locate } from '../cluster/binaries.ts';
import { Decoder } from './decoder.ts';

const program = locate('decoder');
const skip = program === undefined ? 'the decoder is not built: run "npm run cluster:build" (needs Go)' : false;

const controls = Array.from({ length: 0xa1 }, (_, code) => code).filter((code) => code < 0x20 || code > 0x7e);
const codes = [...controls, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x1fffe, 0x10ffff, 0x2028];
/** In quotes, at the end of a line, and in JSON, whose tokens YAML would take otherwise. */
const places = [(text: string) => `a: "x${text}y"\n`, (text: string) => `a: b # x${text}\n`, (text: string) => `{"a":"x${text}y"}`];
/** Break a line, as which a comment may end in another document. */
const breaks = new Set([0x0a, 0x0d, 0x85, 0x2028]);

const isRead = (text: string): boolean => {
  try {
    parseManifests(text, 'a.yaml');
    return true;
  } catch (error) {
    if (error instanceof OperatorError) return false;
    throw error;
  }
};

test('characters that kubectl refuses were rewritten and printed', { skip }, async (t) => {
  const decoder = new Decoder(String(program));
  const texts = codes.flatMap((code) => places.map((place) => ({ code, text: place(String.fromCodePoint(code)) })));
  const answers = await decoder.decode(texts.map(({ text }) => text));
  await decoder.close();
  for (const [index, { code, text }] of texts.entries()) {
    const answer = answers[index];
    if (!breaks.has(code)) t.equal(isRead(text), answer !== undefined && 'documents' in answer, JSON.stringify(text));
  }
});

test('the character is named with its place', async (t) => {
  const pod = 'kind: Pod\nmetadata: { name: "a\u0000b" }\nspec: { containers: [{ name: a, image: nginx }] }\n';
  t.match(await transship(['rewrite', '--policy', policy], pod), {
    code: 2,
    stdout: '',
    stderr:
      /^transship rewrite: MANIFEST_INVALID: standard input:2:21: the character U\+0000 is not allowed in YAML; kubectl refuses it too/,
  });
});
