/** The schema of an entry of `imageManagers`. */
import * as z from 'zod';
import { shippedImageManagers } from '../policy/image-managers.ts';
import { nearest } from '../rules/nearest.ts';
import { labelSelector } from './label-schema.ts';

const known = shippedImageManagers.map(({ name }) => name);

export const imageManager = z
  .strictObject({
    name: z.string().min(1).max(63).describe('Shown in logs and warnings. The name of a built-in operator changes its settings.'),
    podSelector: labelSelector('an empty podSelector would be every pod; name at least one label')
      .optional()
      .describe("Kubernetes' LabelSelector of its pods. It may be left out for an operator that is known."),
    exclude: z.boolean().default(true).describe('Whether its pods are left alone. `false`: they are rewritten, with a warning.'),
  })
  .superRefine(({ name, podSelector: selector }, context) => {
    if (selector !== undefined || known.includes(name)) return;
    const near = nearest(name, known);
    const remedy = near === null ? `known are ${known.join(', ')}` : `did you mean ${near}?`;
    context.addIssue({
      code: 'custom',
      path: ['name'],
      message: `${name} is not a built-in operator, so it needs a podSelector; ${remedy}`,
    });
  });
