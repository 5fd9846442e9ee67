/** `template`: a whole reference made from the captures of a regular expression. harbor-container-webhook, image-mapper. */
import { parseReference, type Reference } from '../../image/reference.ts';
import { anywhere } from './options.ts';
import { defineTransform, type SourcePattern, type Transformed } from './transform.ts';

/** A piece of a template: literal text, or the number or name of a capture. */
export type TemplatePart = { readonly literal: string } | { readonly capture: string };

const piece = /\$(?:(\$)|\{(\w+)\}|(\d+))/g;

/** `$1`, `${1}` and `${name}` are captures, `$$` is a dollar sign, everything else is itself. */
export function parseTemplate(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of text.matchAll(piece)) {
    parts.push({ literal: text.slice(end, match.index) });
    const name = match[2] ?? match[3];
    parts.push(name === undefined ? { literal: '$' } : { capture: name });
    end = match.index + match[0].length;
  }
  parts.push({ literal: text.slice(end) });
  return parts;
}

export const template = defineTransform({
  as: 'template',
  description: 'A template expanded with the captures of the regular expression',
  options: {
    template: { type: 'text', description: 'A whole reference with $1, ${1} or ${name}; $$ is a dollar sign.' },
    ...anywhere,
  },
  writesTo: 'image',
  isLossy: false,
  problems(options, patterns) {
    const named = patterns.find(({ captures }) => captures === null);
    if (named !== undefined)
      return [
        {
          option: 'template',
          message: `a template takes captures, so the images of its rule are { regex: … }; ${named.text} is a name`,
        },
      ];
    return missingCaptures(options.template, patterns).map((capture) => ({
      option: 'template',
      message: `the template uses $${capture}, which not every regex of the rule captures`,
    }));
  },
  compile(options) {
    const parts = parseTemplate(options.template);
    return (reference, match) => {
      const expanded = parts.map((part) => ('literal' in part ? part.literal : (match.captures.get(part.capture) ?? ''))).join('');
      return withWrittenSuffix(expanded, reference);
    };
  },
});

function missingCaptures(text: string, patterns: readonly SourcePattern[]): string[] {
  const used = parseTemplate(text).flatMap((part) => ('capture' in part ? part.capture : []));
  const captured = patterns.flatMap(({ captures }) => captures ?? []);
  return used.filter((capture) =>
    captured.some(({ count, names }) => (/^\d+$/.test(capture) ? Number(capture) > count : !names.includes(capture))),
  );
}

/** A written digest is kept; a written tag is added if the expanded text has none. */
function withWrittenSuffix(expanded: string, reference: Reference): Transformed {
  const parsed = parseReference(expanded);
  if (!parsed.ok) return { ok: false, reason: `${JSON.stringify(expanded)} is not an image reference: ${parsed.problem}` };
  const { tag, digest } = parsed.reference;
  if (digest !== null && reference.digest !== null && digest !== reference.digest)
    return { ok: false, reason: 'the template changes the digest' };
  // A tag goes in front of the digest.
  const named = digest === null ? expanded : expanded.slice(0, expanded.indexOf('@'));
  const newTag = tag === null && reference.tag !== null ? `:${reference.tag}` : '';
  const newDigest = digest ?? reference.digest;
  return { ok: true, text: named + newTag + (newDigest === null ? '' : `@${newDigest}`) };
}
