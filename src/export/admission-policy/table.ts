/** The policy as the tables of the compiled one, and what CEL cannot express of it. */
import type { PolicyPath, PolicyProblem } from '../../policy/problem.ts';
import type { RewriteTarget } from '../../policy/transform/transforms.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import type { Pattern } from '../../rules/pattern.ts';
import { repositoryPrefix, type Registry } from '../../rules/registries.ts';
import type { CompiledTarget, Rule } from '../../rules/rule.ts';
import { anyOf, testOf, widened, type Test } from './patterns.ts';
import { notResolved, refusal } from '../exported.ts';
import { actionProblems } from './refusals.ts';
import { addsSecretsOfAlternatives, divertedTo, resolvedAlternatives } from './rule-alternatives.ts';
import { isExpressed, type ExpressedTransform } from './transforms.ts';

/** What a rule does. `left` leaves its images to the webhook; `inactive` leaves them alone until its registry has a host. */
export type Action = ExpressedTransform | 'secrets' | 'left' | 'inactive';

export interface Entry extends Test {
  /** RE2, found in the canonical text of images that the rule does not match; empty for none. */
  readonly except: string;
  /** Components of the name that the pattern matches; 0 for every image. */
  readonly depth: number;
}

export interface TableTarget {
  readonly action: Action;
  /** Where images go, without a slash at its end; empty where they go nowhere. */
  readonly base: string;
  readonly spelling: 'canonical' | 'written';
  /** Secrets of the registry that the target names beside the image. */
  readonly registrySecrets: readonly string[];
}

export interface TableRule extends TableTarget {
  readonly name: string;
  readonly policy: Rule['policy'];
  readonly entries: readonly Entry[];
  /** All targets of a rule with alternatives, in the order of the policy, where pull secrets depend on them; empty for others. */
  readonly targets: readonly TableTarget[];
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
  const waiting = followsHosts ? [] : [...policy.registries.values()].filter(awaitsSecrets);
  for (const { name } of waiting) refusals.push(refusal(['registries', name, 'hostFrom'], `pullSecrets: ${notResolved(name)}`));
  const registries = [...policy.registries.values()].filter((registry) => !waiting.includes(registry));
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
    secrets: registries.flatMap(({ address, pullSecrets }) =>
      address === null ? [] : pullSecrets.map((secret) => [keyOf(repositoryPrefix(address)), secret] as const),
    ),
    refusals,
  };
}

/** Whether pods get pull secrets by where its images are, and that is not known here. */
function awaitsSecrets({ awaitsHost, pullSecrets }: Registry): boolean {
  return awaitsHost && pullSecrets.length > 0;
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
  // An exclusion that cannot be expressed is left out: the webhook gets more images then, and decides about them as the policy says.
  const said = excluding.filter(({ isSaid }) => isSaid);
  const except = said.length === 0 ? '' : anyOf(said.map(({ test }) => test));
  const first = {
    name: rule.policy.name,
    ...goesTo(rule, isLeft ? 'left' : isInactive ? 'inactive' : rule.policy.rewrite),
    registrySecrets: rule.registrySecrets,
    policy: rule.policy,
    targets: isLeft || isInactive || !addsSecretsOfAlternatives(rule, context.policy) ? [] : targetsOf(rule),
    entries: images.map(({ test: { prefix, regex }, depth }) => ({ prefix, regex, except, depth })),
    stays: null,
  };
  const before =
    isLeft || isInactive
      ? []
      : divertedTo(rule).map(({ target, rewrite }) => Object.assign({}, first, goesTo(target, rewrite), { stays: staysOf(rule) }));
  return [...before, first];
}

/** Without those that have no host yet, and give an image no name. */
function targetsOf(rule: Rule): TableTarget[] {
  const { rewrite } = rule.policy;
  const first = rewrite === undefined ? [] : [{ target: rule, rewrite }];
  const all = [...first, ...resolvedAlternatives(rule)];
  return all.map((each) => Object.assign(goesTo(each.target, each.rewrite), { registrySecrets: each.target.registrySecrets }));
}

function goesTo(target: CompiledTarget, rewrite: RewriteTarget | 'left' | 'inactive' | undefined): Omit<TableTarget, 'registrySecrets'> {
  if (rewrite === undefined || typeof rewrite === 'string') return { action: rewrite ?? 'secrets', base: '', spelling: 'canonical' };
  return {
    action: isExpressed(rewrite.as) ? rewrite.as : 'left',
    base: baseOf(target, rewrite),
    spelling: 'spelling' in rewrite && rewrite.spelling === 'written' ? 'written' : 'canonical',
  };
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

/** Whether the webhook decides some images. */
export function hasLeft({ rules }: Table): boolean {
  return rules.some(({ action }) => action === 'left');
}

/** Rules that only attach secrets may match results too: then a second pass would add these secrets. */
export function attaches({ rules }: Table): boolean {
  return rules.some(({ action, policy }) => action === 'secrets' && policy.pullSecrets.length > 0);
}

/** Whether the policy has pull secrets at all. */
export function hasSecrets({ rules, secrets }: Table): boolean {
  return secrets.length > 0 || rules.some(({ policy, registrySecrets }) => policy.pullSecrets.length + registrySecrets.length > 0);
}
