/** `singleRepository`: every image in one repository, distinguished by tag. Tilt's single_name. */
import { lastComponent } from '../../image/reference.ts';
import { underRegistry } from './options.ts';
import { defineTransform } from './transform.ts';

/** OCI distribution spec, "Pulling manifests". */
const maxTagLength = 128;

export const singleRepository = defineTransform({
  as: 'singleRepository',
  description: 'HOST/prefix/repository:last component-tag',
  options: { ...underRegistry, repository: { type: 'repositoryPath', description: 'The repository for all images.' } },
  writesTo: 'registry',
  isLossy: true,
  compile(options, base) {
    const repository = `${base}/${options.repository}`;
    return (reference) => {
      const digest = reference.digest === null ? '' : `@${reference.digest}`;
      // Without a written tag the digest alone names the content, and a generated tag would name an image that was never pushed.
      if (reference.tag === null && digest !== '') return { ok: true, text: repository + digest };
      const tag = `${lastComponent(reference)}-${reference.tag ?? 'latest'}`;
      if (tag.length > maxTagLength) return { ok: false, reason: `the tag would have ${tag.length} characters, more than ${maxTagLength}` };
      return { ok: true, text: `${repository}:${tag}${digest}` };
    };
  },
});
