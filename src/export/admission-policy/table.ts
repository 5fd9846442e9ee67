/** The policy as the tables of the compiled one, and what CEL cannot say of it. */
import { problem, type PolicyPath, type PolicyProblem } from '../../policy/problem.ts';
import type { RewriteTarget } from '../../policy/transform/transforms.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import type { Pattern } from '../../rules/pattern.ts';
import { repositoryPrefix } from '../../rules/registries.ts';
import type { CompiledAlternative, CompiledTarget, Rule } from '../../rules/rule.ts';
import { anyOf, testOf, widened, type Test } from './patterns.ts';
import { isExpressed, type ExpressedTransform } from './transforms.ts';

/** What a rule does. `left` leaves its images to the webhook; `inactive` leaves them alone until its registry has a host. */
export type Action = ExpressedTransform | 'secrets' | 'left' | 'inactive';

export interface Entry extends Test {
  /** RE2, found in the canonical text of images that the rule does not match; empty for none. */
  readonly except: string;
  /** Components of the name that the pattern matches; 0 for every image. */
  readonly depth: number;
}

export interface TableRule {
  readonly name: string;
  readonly action: Action;
  /** Where images go, without a slash at its end; empty where they go nowhere. */
  readonly base: string;
  readonly spelling: 'canonical' | 'written';
  readonly policy: Rule['policy'];
  /** Secrets of the registry that the rule names beside the image. */
  readonly registrySecrets: readonly string[];
  readonly entries: readonly Entry[];
  /** For an alternative that comes before the first target, since nodes do not reach that: the images that do not go there. Null for others. */
  readonly stays: Stays | null;
}

/** Images without a digest: those that the pod pulls `Always`, those that it would by default, all, or none. */
export type Stays = 'always' | 'default' | 'all' | 'none';

export interface Table {
  readonly policy: CompiledPolicy;
  /** Images that the policy leaves alone. */
  readonly excluded: readonly Test[];
  readonly rules: readonly TableRule[];
  /** Prefixes of keys. */
  readonly targets: readonly string[];
  /** Whole images with a tag or digest. */
  readonly exactTargets: readonly string[];
  /** Prefixes of keys with a secret, in the order of the policy. */
  readonly secrets: readonly (readonly [prefix: string, secret: string])[];
  readonly refusals: readonly PolicyProblem[];
}

export interface TableOptions {
  /** The table is made again when a host is resolved: a rule that waits for one is inactive, as in the webhook. Otherwise it is refused. */
  readonly followsHosts?: boolean;
}

export function tableOf(policy: CompiledPolicy, { followsHosts = false }: TableOptions = {}): Table {
  const refusals: PolicyProblem[] = [];
  if (policy.policy.warnings === 'rewrites') refusals.push(refusal(['warnings'], 'warnings: a MutatingAdmissionPolicy cannot warn'));
  const excluded = policy.excluded.map((pattern, index) => tested(pattern, ['exclude', 'images', index], refusals).test);
  const rules = policy.rules.flatMap((rule, index) => rulesOf(rule, index, { policy, followsHosts, refusals }));
  const targets = policy.rules.flatMap((rule) => [rule, ...rule.alternatives].flatMap(({ rewrite }) => rewrite?.target ?? []));
  return {
    policy,
    excluded,
    rules,
    targets: unique(targets.flatMap(({ exact, prefix }) => (exact === null ? [keyOf(prefix)] : []))),
    exactTargets: unique(
      targets.flatMap(({ exact }) =>
        exact === null
          ? []
          : [exact.name + (exact.tag === null ? '' : `:${exact.tag}`) + (exact.digest === null ? '' : `@${exact.digest}`)],
      ),
    ),
    secrets: [...policy.registries.values()].flatMap(({ address, pullSecrets }) =>
      address === null ? [] : pullSecrets.map((secret) => [keyOf(repositoryPrefix(address)), secret] as const),
    ),
    refusals,
  };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function keyOf({ host, path }: { readonly host: string; readonly path: string }): string {
  return path === '' ? `${host}/` : `${host}/${path}/`;
}

interface Context {
  readonly policy: CompiledPolicy;
  readonly followsHosts: boolean;
  readonly refusals: PolicyProblem[];
}

/** More than one where nodes do not reach the first target: alternatives before it, each with the same images. */
function rulesOf(rule: Rule, index: number, context: Context): TableRule[] {
  const at: PolicyPath = ['rules', index];
  const problems: PolicyProblem[] = [];
  const images = rule.images.map((pattern, entry) => tested(pattern, [...at, 'match', 'images', entry], problems));
  const excluding = rule.exclude.map((pattern, entry) => tested(pattern, [...at, 'match', 'exclude', entry], problems));
  problems.push(...actionProblems(rule, at, context));
  context.refusals.push(...problems);
  const isLeft = problems.length > 0;
  const isInactive = !isLeft && rule.waitsFor !== null;
  // An exclusion that cannot be said is left out: the webhook gets more images then, and decides about them as the policy says.
  const said = excluding.filter(({ isSaid }) => isSaid);
  const except = said.length === 0 ? '' : anyOf(said.map(({ test }) => test));
  const first = {
    name: rule.policy.name,
    ...goesTo(rule, isLeft ? 'left' : isInactive ? 'inactive' : rule.policy.rewrite),
    policy: rule.policy,
    registrySecrets: rule.registrySecrets,
    entries: images.map(({ test: { prefix, regex }, depth }) => ({ prefix, regex, except, depth })),
    stays: null,
  };
  const before =
    isLeft || isInactive
      ? []
      : divertedTo(rule).map(({ target, rewrite }) => Object.assign({}, first, goesTo(target, rewrite), { stays: staysOf(rule) }));
  return [...before, first];
}

function goesTo(
  target: CompiledTarget,
  rewrite: RewriteTarget | 'left' | 'inactive' | undefined,
): Pick<TableRule, 'action' | 'base' | 'spelling'> {
  if (rewrite === undefined || typeof rewrite === 'string') return { action: rewrite ?? 'secrets', base: '', spelling: 'canonical' };
  return {
    action: isExpressed(rewrite.as) ? rewrite.as : 'left',
    base: baseOf(target, rewrite),
    spelling: 'spelling' in rewrite && rewrite.spelling === 'written' ? 'written' : 'canonical',
  };
}

interface Diverted {
  readonly target: CompiledAlternative;
  readonly rewrite: RewriteTarget;
  /** In the alternatives. */
  readonly position: number;
}

/** The alternatives that nodes reach, where they come before the first target. */
function divertedTo({ isDiverted, alternatives }: Rule): Diverted[] {
  if (!isDiverted) return [];
  return alternatives.flatMap((target, position) => {
    const { policy, rewrite, isUnavailable } = target;
    return policy.as === 'original' || rewrite === null || isUnavailable ? [] : [{ target, rewrite: policy, position }];
  });
}

/** As `mayHaveOtherContent` of src/rules/diversion.ts. */
function staysOf({ policy: { onMutableTag, pullPolicy } }: Rule): Stays {
  if (onMutableTag === 'fallBack' || pullPolicy === 'IfNotPresent') return 'none';
  return pullPolicy === 'Always' ? 'all' : pullPolicy === 'derive' ? 'default' : 'always';
}

interface Tested {
  readonly test: Test;
  readonly depth: number;
  readonly isSaid: boolean;
}

function tested(pattern: Pattern, path: PolicyPath, refusals: PolicyProblem[]): Tested {
  const depth = pattern.kind === 'regex' || pattern.text === '*' ? 0 : 1 + pattern.path.length;
  const found = testOf(pattern);
  if (found.ok) return { test: found.test, depth, isSaid: true };
  refusals.push(refusal(path, found.reason));
  return { test: widened(pattern), depth, isSaid: false };
}

/** Host with prefix, or the one image. */
function baseOf(target: CompiledTarget, rewrite: RewriteTarget): string {
  if (rewrite.as === 'image') return rewrite.image;
  const base = target.rewrite?.target?.text ?? '';
  return rewrite.as === 'singleRepository' ? `${base}/${rewrite.repository}` : base;
}

function actionProblems(rule: Rule, at: PolicyPath, { policy, followsHosts }: Context): PolicyProblem[] {
  const { rewrite } = rule.policy;
  if (rewrite === undefined) return [];
  const unexpressed = unexpressedProblems(rewrite, [...at, 'rewrite']);
  if (unexpressed.length > 0) return unexpressed;
  if (rule.rewrite === null && followsHosts) return [];
  if (rule.rewrite === null)
    return [
      refusal([...at, 'rewrite', 'registry'], `the host of registry ${rule.waitsFor} is not resolved; name it with --resolved-hosts`),
    ];
  const problems = [...remainderProblems(rule, rule, at), ...divertedProblems(rule, at)];
  const reason = alternativesReason(rule, policy);
  return reason === null ? problems : [...problems, refusal([...at, 'alternatives'], `alternatives: ${reason}`)];
}

function unexpressedProblems({ as }: RewriteTarget, path: PolicyPath): PolicyProblem[] {
  if (isExpressed(as)) return [];
  const reason = as === 'template' ? 'CEL cannot replace by the captures of an expression' : 'it has no expression in CEL';
  return [refusal([...path, 'as'], `as: ${as}: ${reason}`)];
}

function divertedProblems(rule: Rule, at: PolicyPath): PolicyProblem[] {
  return divertedTo(rule).flatMap(({ target, rewrite, position }) =>
    unexpressedProblems(rewrite, [...at, 'alternatives', position]).concat(remainderProblems(rule, target, at)),
  );
}

function alternativesReason(rule: Rule, policy: CompiledPolicy): string | null {
  // The webhook reads the controller's record of the step.
  if (rule.policy.alternatives.some(({ as }) => as === 'original'))
    return 'CEL would rewrite the image as written again when the controller moves a pod to it';
  return hasSecretsOfAlternatives(rule, policy) ? 'CEL does not add the pull secrets of further targets' : null;
}

/** @param target the rule itself, or one of its alternatives */
function remainderProblems(rule: Rule, target: Rule | CompiledAlternative, at: PolicyPath): PolicyProblem[] {
  const as = 'images' in target ? target.policy.rewrite?.as : target.policy.as;
  if (as !== 'remainder') return [];
  const ofPatterns = rule.images.flatMap((pattern, index) =>
    pattern.kind === 'regex'
      ? [refusal([...at, 'match', 'images', index], `as: remainder: CEL cannot tell where the match of ${pattern.text} ends`)]
      : [],
  );
  const { host, path } = target.rewrite?.target?.prefix ?? { host: '', path: '' };
  // The image docker.io/NAME is docker.io/library/NAME, and not below docker.io/NAME.
  return host === 'docker.io' && path !== '' && !path.includes('/') && rule.images.some(canBeWhole)
    ? [...ofPatterns, refusal([...at, 'rewrite', 'registry'], `as: remainder: images of docker.io/${path} itself would be rewritten again`)]
    : ofPatterns;
}

/** Whether nothing may follow the match. Every path of Docker Hub has two components. */
function canBeWhole(pattern: Pattern): boolean {
  if (pattern.kind === 'regex' || pattern.tag !== null || pattern.digest !== null) return true;
  return pattern.path.length > (pattern.host === 'docker.io' ? 1 : 0);
}

/** Without any pull secret, further targets change nothing about a pod. */
function hasSecretsOfAlternatives({ alternatives }: Rule, { registries, policy }: CompiledPolicy): boolean {
  const isAny =
    [...registries.values()].some(({ pullSecrets }) => pullSecrets.length > 0) ||
    policy.rules.some(({ pullSecrets }) => pullSecrets.length > 0);
  return alternatives.length > 0 && isAny;
}

function refusal(path: PolicyPath, message: string): PolicyProblem {
  return problem('not-exported', path, message);
}
