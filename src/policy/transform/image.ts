/** `image`: exactly one image. The overrides of kURL's EKCO. */
import { parseReference, suffix } from '../../image/reference.ts';
import { optionalRegistry } from './options.ts';
import { defineTransform } from './transform.ts';

export const image = defineTransform({
  as: 'image',
  description: 'Exactly one image',
  options: {
    image: { type: 'text', description: 'The image; tag and digest as written in the pod when it has neither.' },
    registry: optionalRegistry,
  },
  writesTo: 'image',
  // One image for all matches is what the rule says.
  isLossy: false,
  problems(options) {
    const parsed = parseReference(options.image);
    return parsed.ok ? [] : [{ option: 'image', message: `${options.image} is not an image reference: ${parsed.problem}` }];
  },
  targetImage(options) {
    return options.image;
  },
  compile(options) {
    const parsed = parseReference(options.image);
    const complete = parsed.ok && (parsed.reference.tag !== null || parsed.reference.digest !== null);
    return (reference) => ({ ok: true, text: complete ? options.image : options.image + suffix(reference) });
  },
});
