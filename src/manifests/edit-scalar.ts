/** Replaces the text of a scalar, keeping its style. */
import { isScalar, type Scalar } from 'yaml';
import type { Edit, Source } from './edit.ts';
import { nodeSpan } from './layout.ts';
import { doubleQuoted, stringText } from './quoting.ts';

/** Null if the style cannot represent it. */
export function replaceText({ text }: Source, scalar: Scalar, value: string): Edit | null {
  const span = nodeSpan(scalar);
  if (span === null || !isScalar(scalar)) return null;
  switch (scalar.type) {
    case 'QUOTE_DOUBLE':
      return { ...span, text: doubleQuoted(value) };
    case 'QUOTE_SINGLE':
      return { ...span, text: `'${value.replaceAll("'", "''")}'` };
    case 'BLOCK_FOLDED':
    case 'BLOCK_LITERAL':
      return replaceBlock(text.slice(span.start, span.end), span.start, value);
    default:
      return { ...span, text: stringText(value) };
  }
}

/** A block scalar of one line keeps the comment of its header and the blank lines around the text. Any other becomes plain. */
function replaceBlock(source: string, offset: number, value: string): Edit {
  const [, style = '', indicators = '', header = '', body = ''] = /^([>|])([-+\d]*)([^\n]*(?:\n|$))([^]*)$/.exec(source) ?? [];
  const [, before = '', content = ''] = /^((?:[ \t]*\r?\n)*[ ]*)(\S(?:[^\n]*\S)?)[ \t]*(?:\r?\n\s*)?$/.exec(body) ?? [];
  if (content === '') return { start: offset, end: offset + source.length, text: stringText(value) + header };
  // Without a line end behind the text.
  const chomped = style + indicators.replace(/[-+]/, '') + '-';
  const end = offset + source.length - body.length + before.length + content.length;
  return { start: offset, end, text: chomped + header + before + value };
}
