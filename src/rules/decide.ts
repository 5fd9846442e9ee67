/**
 * Decides every image of a pod. Rules are tried in order and the first match decides; the result always has a reason.
 */
import { parseReference, type Reference } from '../image/reference.ts';
import { isLeftAlone } from '../policy/never-pulled.ts';
import type { ReasonCode } from '../policy/reason.ts';
import { alternativesOf } from './alternatives.ts';
import { checkIdempotence } from './idempotence.ts';
import { imageDecision, noAlternatives, type ImageDecision, type PodContext } from './decision.ts';
import { divert } from './diversion.ts';
import { describeNearMiss, type NearMiss } from './near-miss.ts';
import type { Rule } from './rule.ts';
import { secretsAt, union } from './secrets.ts';
import { excludingPattern, findRule, type RuleMatch, type Table } from './table.ts';
import { targetOf, type Target } from './targets.ts';

/** @param pullPolicy of the image in its pod, null where it is not written */
export function decideImage(table: Table, image: string, context: PodContext, pullPolicy: string | null = null): ImageDecision {
  if (table.placeholders.has(image)) {
    const shown = JSON.stringify(image);
    return imageDecision(image, 'placeholder', `${shown} is a placeholder that an injector fills in (placeholders of the policy)`);
  }
  const parsed = parseReference(image);
  if (!parsed.ok) return imageDecision(image, 'invalid-reference', `not an image reference: ${parsed.problem}`);
  const { reference } = parsed;
  const excluded = excludingPattern(table, reference);
  if (excluded !== null) return stays(table, reference, 'excluded-by-policy', `the policy excludes ${excluded}`);
  const nearMisses: NearMiss[] = [];
  const match = findRule(table, reference, context, nearMisses);
  const decision =
    match === null ? undecided(table, reference, nearMisses) : decideByRule(table, reference, match, { ...context, pullPolicy });
  return nearMisses.length === 0 ? decision : { ...decision, nearMisses };
}

function undecided(table: Table, reference: Reference, nearMisses: readonly NearMiss[]): ImageDecision {
  const target = targetOf(table.targets, reference);
  if (target !== null) return underTarget(table, reference, target);
  if (nearMisses.length === 0) return stays(table, reference, 'no-rule-matches', 'no rule matches it');
  const more = nearMisses.length > maxDescribed ? ['and so do others'] : [];
  const sentences = ['no rule matches it', ...nearMisses.slice(0, maxDescribed).map(describeNearMiss), ...more];
  return stays(table, reference, 'conditions-not-met', sentences.join('; '));
}

/** Maximum number of near misses in one reason, which is part of a log line. */
const maxDescribed = 3;

interface ImageContext extends PodContext {
  readonly pullPolicy: string | null;
}

function decideByRule(table: Table, reference: Reference, match: RuleMatch, context: ImageContext): ImageDecision {
  if (match.rule.policy.rewrite === undefined) return attachOnly(table, reference, match.rule);
  const target = targetOf(table.targets, reference);
  return target === null ? rewrite(table, reference, match, context) : underTarget(table, reference, target);
}

function underTarget(table: Table, reference: Reference, target: Target): ImageDecision {
  return stays(table, reference, 'under-target', `it is already under ${target.text}`);
}

function rewrite(table: Table, reference: Reference, { rule, match }: RuleMatch, context: ImageContext): ImageDecision {
  const { name } = rule.policy;
  const keep = (code: ReasonCode, reason: string): ImageDecision =>
    imageDecision(reference.text, code, reason, { rule: name, pullSecrets: secretsAt(table, reference) });
  const refuse = (code: ReasonCode, why: string): ImageDecision => keep(code, `rule ${name}${why}`);
  if (rule.rewrite === null) {
    const instead = rule.alternatives.length === 0 ? '' : ', and its alternatives are not used instead';
    const remedy = `give the registry a host: to use until then (on the command line: --resolved-hosts)`;
    return refuse('registry-unresolved', ` is not active yet: the host of registry ${rule.waitsFor} is not resolved${instead}; ${remedy}`);
  }
  const transformed = rule.rewrite.transform(reference, match);
  if (!transformed.ok) return refuse('transform-failed', `: ${transformed.reason}`);
  const { text } = transformed;
  const result = parseReference(text);
  if (!result.ok) return refuse('invalid-result', ` would make ${text}, which is not an image reference: ${result.problem}`);
  const next = checkIdempotence(table, result.reference, context);
  if (next.problem !== null) return refuse('not-idempotent', ` would make ${text}, but ${next.problem}`);
  if (text !== reference.text && context.pullPolicy === 'Never' && isLeftAlone(rule.policy.onPullPolicyNever, context.podLabels)) {
    const code = rule.policy.onPullPolicyNever === 'keep' ? 'kept-by-rule' : 'never-pulled';
    const reason = `with imagePullPolicy Never the node must have it under this name (rule ${name}, onPullPolicyNever)`;
    return keep(code, reason);
  }
  const ownSecrets = union([rule.registrySecrets, secretsAt(table, result.reference), rule.policy.pullSecrets, next.pullSecrets]);
  if (text === reference.text)
    return imageDecision(text, 'same-name', `rule ${name} gives the same image`, { rule: name, pullSecrets: ownSecrets });
  const hasAlternatives = rule.alternatives.length > 0;
  const alternatives = hasAlternatives ? alternativesOf(table, reference, { rule, match, first: text }, context) : noAlternatives;
  // Of all alternatives: secrets cannot be added to an existing pod.
  const pullSecrets = hasAlternatives ? union([ownSecrets, ...alternatives.map((alternative) => alternative.pullSecrets)]) : ownSecrets;
  const { pullPolicy, onMissingSecret } = rule.policy;
  const decision = imageDecision(reference.text, 'rule-matched', `rule ${name} matches ${match.source} (${rule.policy.rewrite?.as})`, {
    rule: name,
    result: text,
    pullSecrets,
    pullPolicy,
    needsSecrets: onMissingSecret === 'keep',
    alternatives,
  });
  return rule.isDiverted ? divert(decision, { rule, reference, pullPolicy: context.pullPolicy, ownSecrets }) : decision;
}

function attachOnly(table: Table, reference: Reference, rule: Rule): ImageDecision {
  const { name, pullSecrets } = rule.policy;
  const secrets = union([secretsAt(table, reference), pullSecrets]);
  const reason = `rule ${name} only attaches pull secrets`;
  return imageDecision(reference.text, 'pull-secrets-only', reason, { rule: name, pullSecrets: secrets });
}

function stays(table: Table, reference: Reference, code: ReasonCode, reason: string): ImageDecision {
  return imageDecision(reference.text, code, reason, { pullSecrets: secretsAt(table, reference) });
}
