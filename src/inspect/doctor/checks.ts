/** The checks of `doctor`, in the order in which they are shown: what stops everything comes first. */
import { admissionPolicyChecks } from './admission-policy-checks.ts';
import type { Check } from './check.ts';
import { clock } from './clock-check.ts';
import { copies } from './copy-check.ts';
import { finalState } from './final-state-check.ts';
import { labelChecks } from './label-checks.ts';
import { missingImages } from './missing-image-check.ts';
import { policyChecks } from './policy-checks.ts';
import { webhookChecks } from './webhook-checks.ts';

export const checks: readonly Check[] = [
  ...webhookChecks,
  ...admissionPolicyChecks,
  ...policyChecks,
  copies,
  missingImages,
  finalState,
  clock,
  ...labelChecks,
];
