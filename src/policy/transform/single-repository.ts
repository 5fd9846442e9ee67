/** `singleRepository`: every image in one repository, told apart by tag. Tilt's single_name. */
import { lastComponent } from '../../image/reference.ts';
import type { Transform } from './transform.ts';

/** OCI distribution spec, "Pulling manifests". */
const maximumTagLength = 128;

export function singleRepository(repository: string): Transform {
  return (reference) => {
    const digest = reference.digest === null ? '' : `@${reference.digest}`;
    // Without a written tag the digest alone names the content, and a made-up tag would name something that nobody pushed.
    if (reference.tag === null && digest !== '') return { ok: true, text: repository + digest };
    const tag = `${lastComponent(reference)}-${reference.tag ?? 'latest'}`;
    if (tag.length > maximumTagLength)
      return { ok: false, reason: `the tag would have ${tag.length} characters, more than ${maximumTagLength}` };
    return { ok: true, text: `${repository}:${tag}${digest}` };
  };
}
