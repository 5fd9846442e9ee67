/** From the bytes of a request to the parts of a review that a decision reads. */
import { reviewShape } from '../admission/review-shape.ts';
import { select } from '../admission/selective-json.ts';

export type ReadBody = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/** @param body a Buffer where there was a body at all */
export function readBody(body: unknown): ReadBody {
  if (!Buffer.isBuffer(body) || body.length === 0) return { ok: false, problem: 'the body is empty' };
  const selected = select({ bytes: body, text: (start, end) => body.toString('utf8', start, end) }, reviewShape);
  if (selected.ok) return selected;
  if (selected.error.reason === 'deep') return { ok: false, problem: 'the body nests too deep' };
  return parseWhole(body);
}

/** V8's own parser says best what is wrong. What it reads all the same is a review like any other. */
function parseWhole(body: Buffer): ReadBody {
  try {
    return { ok: true, value: JSON.parse(body.toString('utf8')) };
  } catch (error) {
    return { ok: false, problem: `the body is not JSON: ${withoutQuote(error instanceof Error ? error.message : String(error))}` };
  }
}

/** V8 quotes the text around the mistake, and a pod's environment may hold a password: neither log nor answer shows it. */
function withoutQuote(message: string): string {
  return message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' is out of place');
}
