/** `escape`: the whole familiar name as one component. Tilt's default_registry. */
import { familiarName, suffix } from '../../image/reference.ts';
import type { Transform } from './transform.ts';

export function escape(base: string): Transform {
  return (reference) => ({ ok: true, text: `${base}/${familiarName(reference).replace(/[/:@]/g, '_')}${suffix(reference)}` });
}
