/** The schema of labels, annotations and label selectors, validated as in Kubernetes. */
import * as z from 'zod';
import { labelKeyProblem, labelValueProblem } from './name-problems.ts';

const labelKey = z.string().superRefine((key, context) => complain(labelKeyProblem(key), context));
const labelValue = z.string().superRefine((value, context) => complain(labelValueProblem(value), context));

export const labels = z.record(labelKey, labelValue);

/** Adds an issue. */
export function complain(problem: string | null, context: z.RefinementCtx<string>): void {
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
}

/** Keys by which the controller identifies its copies. */
const isReserved = (key: string): boolean => key.startsWith('transship.dev/') || key === 'app.kubernetes.io/managed-by';

const copyKey = labelKey.refine((key) => !isReserved(key), {
  error: 'app.kubernetes.io/managed-by and keys of transship.dev are set by the controller',
});

export const copyLabels = z.record(copyKey, labelValue);
export const copyAnnotations = z.record(copyKey, z.string());

const requirement = z
  .strictObject({
    key: labelKey,
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('How the label is compared.'),
    values: z.array(labelValue).min(1).optional().describe('For `In` and `NotIn`.'),
  })
  .refine(({ operator, values }) => (operator === 'In' || operator === 'NotIn') === (values !== undefined), {
    error: 'In and NotIn need values, Exists and DoesNotExist have none',
    path: ['values'],
  });

/** @param empty message for a selector that selects everything */
// oxlint-disable-next-line typescript/explicit-function-return-type -- inferred by zod
export function labelSelector(empty: string) {
  return z
    .strictObject({
      matchLabels: labels.optional().describe('Required labels, with exactly these values.'),
      matchExpressions: z.array(requirement).optional().describe('Further conditions, all of which must hold.'),
    })
    .refine(({ matchLabels = {}, matchExpressions = [] }) => Object.keys(matchLabels).length + matchExpressions.length > 0, {
      error: empty,
    });
}
