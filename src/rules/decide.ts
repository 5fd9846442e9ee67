/**
 * Every image of a pod is decided here. Rules are tried in order and the first that matches decides; the answer always says why.
 */
import type { Outcome } from '../policy/outcome.ts';
import { parseReference, type Reference } from '../image/reference.ts';
import { secondPass } from './converge.ts';
import { leftAlone, noSecrets, type ImageDecision, type PodContext } from './decision.ts';
import { isUnder } from './registries.ts';
import type { Rule } from './rule.ts';
import { excludingPattern, findRule, type Fired, type Table } from './table.ts';
import { targetOf } from './targets.ts';

export function decideImage(table: Table, image: string, context: PodContext): ImageDecision {
  const parsed = parseReference(image);
  if (!parsed.ok) return leftAlone(image, 'invalid', `not an image reference: ${parsed.problem}`);
  const { reference } = parsed;
  const excluded = excludingPattern(table, reference);
  if (excluded !== null) return stays(table, reference, 'excluded', `the policy excludes ${excluded}`);
  const passedOver: string[] = [];
  const fired = findRule(table, reference, context, passedOver);
  if (fired !== null && fired.rule.policy.rewrite === undefined) return attachOnly(table, reference, fired.rule);
  const target = targetOf(table.targets, reference);
  if (target !== null) return stays(table, reference, 'already-there', `it is already under ${target.text}`);
  if (fired === null) return stays(table, reference, 'no-rule', ['no rule matches it', ...passedOver].join('; '));
  return rewrite(table, reference, fired, context);
}

function rewrite(table: Table, reference: Reference, { rule, match }: Fired, context: PodContext): ImageDecision {
  const { name } = rule.policy;
  if (rule.rewrite === null) {
    return refused(table, reference, rule, `rule ${name} is not active yet: the host of registry ${rule.waitsFor} is not resolved`);
  }
  const transformed = rule.rewrite.transform(reference, match);
  if (!transformed.ok) return refused(table, reference, rule, `rule ${name}: ${transformed.reason}`);
  const result = parseReference(transformed.text);
  if (!result.ok)
    return refused(table, reference, rule, `rule ${name} would make ${transformed.text}, which is no image reference: ${result.problem}`);
  const next = secondPass(table, result.reference, context);
  if (next.problem !== null) return refused(table, reference, rule, `rule ${name} would make ${transformed.text}, but ${next.problem}`);
  const pullSecrets = unique([
    ...rule.registrySecrets,
    ...secretsAt(table, result.reference),
    ...rule.policy.pullSecrets,
    ...next.pullSecrets,
  ]);
  if (transformed.text === reference.text) {
    return { ...decided(reference, 'already-there', `rule ${name} gives the same image`), rule: name, pullSecrets };
  }
  const reason = `rule ${name} matches ${match.source} (${rule.policy.rewrite?.as})`;
  return {
    ...decided(reference, 'rewritten', reason),
    rule: name,
    result: transformed.text,
    pullSecrets,
    pullPolicy: rule.policy.pullPolicy,
  };
}

function attachOnly(table: Table, reference: Reference, rule: Rule): ImageDecision {
  const { name, pullSecrets } = rule.policy;
  const secrets = unique([...secretsAt(table, reference), ...pullSecrets]);
  return { ...decided(reference, 'already-there', `rule ${name} only attaches pull secrets`), rule: name, pullSecrets: secrets };
}

function stays(table: Table, reference: Reference, outcome: Outcome, reason: string): ImageDecision {
  return { ...decided(reference, outcome, reason), pullSecrets: secretsAt(table, reference) };
}

function refused(table: Table, reference: Reference, rule: Rule, reason: string): ImageDecision {
  return { ...stays(table, reference, 'refused', reason), rule: rule.policy.name };
}

function decided(reference: Reference, outcome: Outcome, reason: string): ImageDecision {
  return { ...leftAlone(reference.text, outcome, reason), reference };
}

/** The secrets of every registry that the image points at, in the order of the policy. */
function secretsAt(table: Table, reference: Reference): readonly string[] {
  const found = table.registries.filter(({ place }) => isUnder(place, reference));
  return found.length === 0 ? noSecrets : unique(found.flatMap(({ registry }) => registry.pullSecrets));
}

function unique(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)];
}
