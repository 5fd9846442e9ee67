/**
 * Status of the policy for people: whether a change was refused, and whether it needs a disabled feature. Shown in `/readyz`, and recorded
 * as events by the leader.
 */
import type { Cluster } from '../cluster/connection.ts';
import { formatFinding, type Finding } from '../errors/finding.ts';
import type { RewritePolicy } from '../policy/types.ts';
import type { ControllerOptions, Feature } from './options.ts';
import type { FollowedPolicy } from './followed-policy.ts';
import { recordOnPolicy } from './policy-events.ts';

type StatusOptions = Pick<ControllerOptions, 'namespace' | 'features' | 'disabledFeatures' | 'policyConfigMap' | 'deployment'>;

/** The first errors of a broken policy are enough to find it. */
const maxFindings = 3;
export class PolicyStatus {
  readonly #cluster: Cluster;
  readonly #policy: FollowedPolicy;
  readonly #options: StatusOptions;
  /** The last recorded problems, so that each is recorded when it begins and not at every change. */
  #recorded = '';

  constructor(cluster: Cluster, policy: FollowedPolicy, options: StatusOptions) {
    this.#cluster = cluster;
    this.#policy = policy;
    this.#options = options;
  }

  /** For `/readyz`. */
  problems(): string[] {
    const { hostsProblem } = this.#policy;
    return [...this.#refusalText(), ...(hostsProblem === null ? [] : [hostsProblem]), ...this.#offTexts()];
  }

  /** Called by the leader: at the start, and after each change of the policy. Never rejects. */
  async record(): Promise<void> {
    const [refusal] = this.#refusalText();
    const off = this.#offTexts();
    const before = this.#recorded;
    this.#recorded = [refusal ?? '', ...off].join('\n');
    if (this.#recorded === before) return;
    if (refusal !== undefined) await this.#recordEach('Warning', 'PolicyRefused', refusal);
    else if (before !== '' && off.length === 0)
      await this.#recordEach('Normal', 'PolicyLoaded', `Revision ${this.#policy.current?.id} is in force.`);
    for (const text of off) await this.#recordEach('Warning', 'FeatureOff', text);
  }

  #refusalText(): string[] {
    const { refusal, current } = this.#policy;
    if (refusal === null) return [];
    const consequence = current === null ? 'only certificates are maintained until it loads' : `revision ${current.id} stays in force`;
    return [`the policy is refused; ${consequence}: ${summaryOf(refusal)}`];
  }

  #offTexts(): string[] {
    const { current } = this.#policy;
    const { features, disabledFeatures } = this.#options;
    if (current === null) return [];
    return askedFor(current.compiled.policy).flatMap(({ feature, kind, names, field }) =>
      names.length === 0 || features.includes(feature) || disabledFeatures.includes(feature)
        ? []
        : [`${kind} ${names.join(', ')} have \`${field}\`, which has no effect: the feature ${feature} is disabled. ${remedyOf(feature)}`],
    );
  }

  async #recordEach(type: 'Normal' | 'Warning', reason: string, message: string): Promise<void> {
    await recordOnPolicy(this.#cluster, this.#options, { type, reason, message, action: 'LoadPolicy' });
  }
}

type PolicyFeature = Exclude<Feature, 'certificates' | 'policies'>;

/** Of features that are off by default. */
const effects: Readonly<Partial<Record<PolicyFeature, string>>> = {
  fallback: 'move pods to them',
  verify: 'ask them for the images of pods',
};

function remedyOf(feature: PolicyFeature): string {
  const effect = effects[feature];
  return effect === undefined
    ? `Set the chart value controller.features.${feature} to true, or to false to confirm that.`
    : `Set the chart value controller.features.${feature} to true to ${effect}.`;
}

interface Asked {
  readonly feature: PolicyFeature;
  readonly kind: 'registries' | 'rules';
  /** Of those that need the feature. */
  readonly names: readonly string[];
  /** What they have. */
  readonly field: string;
}

function askedFor({ registries, rules }: RewritePolicy): readonly Asked[] {
  const entries = Object.entries(registries);
  return [
    {
      feature: 'secrets',
      kind: 'registries',
      names: entries.flatMap(([name, { credentials }]) => (credentials === undefined ? [] : [name])),
      field: 'credentials',
    },
    {
      feature: 'hosts',
      kind: 'registries',
      names: entries.flatMap(([name, { hostFrom }]) => (hostFrom === undefined ? [] : [name])),
      field: 'hostFrom',
    },
    {
      feature: 'verify',
      kind: 'registries',
      names: entries.flatMap(([name, { verify }]) => (verify ? [name] : [])),
      field: 'verify',
    },
    {
      feature: 'fallback',
      kind: 'rules',
      names: rules.filter(({ alternatives }) => alternatives.length > 0).map(({ name }) => name),
      field: 'alternatives',
    },
  ];
}

function summaryOf(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').map(formatFinding);
  const more = errors.length > maxFindings ? ` (and ${errors.length - maxFindings} more)` : '';
  return errors.slice(0, maxFindings).join('; ') + more;
}
