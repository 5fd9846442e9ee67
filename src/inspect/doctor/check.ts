/** One check of `doctor`: a question about the facts, and what to do where the answer is no. */
import type { Remedied } from '../opt-in.ts';
import type { Facts, ReleaseFacts } from './facts.ts';

export type Problem = Omit<Remedied, 'code'>;

/** Stable: programs read them. Each has a row in docs/guides/troubleshooting.md, which tools/docs/troubleshooting.ts writes. */
export type CheckId =
  | 'registered'
  | 'webhooks'
  | 'admission-policy'
  | 'admission-policy-revision'
  | 'enforced'
  | 'ca-bundle'
  | 'certificate'
  | 'replicas'
  | 'endpoints'
  | 'reachable'
  | 'policy-revision'
  | 'match-images'
  | 'fail-open'
  | 'policy'
  | 'registries'
  | 'pull-secrets'
  | 'copies'
  | 'missing-images'
  | 'image-managers'
  | 'validating-policy'
  | 'final-state'
  | 'controller'
  | 'clock'
  | 'kubernetes-version'
  | 'namespace-labels'
  | 'workload-labels'
  | 'one-release';

export interface Check {
  readonly id: CheckId;
  /** What holds when nothing is found. */
  readonly title: string;
  /** Also asked where no release is registered: of the others, nothing would hold or not hold. */
  readonly isOfCluster?: true;
  /** The releases that it is about: where there are others alone, it is left out. */
  readonly appliesTo?: (release: ReleaseFacts) => boolean;
  /** What it finds may be over: it is told, and is no problem. */
  readonly isPast?: true;
  /** @returns null when what it looks at may not be read */
  readonly judge: (facts: Facts) => readonly Problem[] | null;
}

export const hasWebhook = ({ configuration, deployment }: ReleaseFacts): boolean => configuration !== null || deployment !== null;
/** Also where it cannot be seen. */
export const hasController = ({ controller }: ReleaseFacts): boolean => controller !== 'none';
export const hasAdmissionPolicy = ({ bindings }: ReleaseFacts): boolean => bindings.length > 0;

/** A check of each release; a release about which nothing can be seen makes the answer unknown, unless another has a problem. */
export function releaseCheck(
  id: CheckId,
  title: string,
  judge: (release: ReleaseFacts, facts: Facts) => readonly Problem[] | null,
  appliesTo: (release: ReleaseFacts) => boolean = () => true,
): Check {
  return {
    id,
    title,
    appliesTo,
    judge: (facts) => {
      if (facts.releases === null) return null;
      const results = facts.releases.filter(appliesTo).map((release) => judge(release, facts));
      const problems = results.flatMap((result) => result ?? []);
      return problems.length === 0 && results.includes(null) ? null : problems;
    },
  };
}

const maxListed = 3;

/** The first names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length > maxListed ? ` and ${names.length - maxListed} more` : '';
  return `${names.slice(0, maxListed).join(', ')}${more}`;
}

export interface CheckResult {
  readonly id: CheckId;
  readonly title: string;
  /** `none`: no release is registered, so there is nothing to check. */
  readonly state: 'ok' | 'problem' | 'past' | 'not-seen' | 'none';
  readonly problems: readonly Problem[];
}

export function runChecks(checks: readonly Check[], facts: Facts): CheckResult[] {
  const { releases } = facts;
  const asked =
    releases === null || releases.length === 0
      ? checks
      : checks.filter(({ appliesTo }) => appliesTo === undefined || releases.some(appliesTo));
  return asked.map(({ id, title, judge, isPast, isOfCluster }) => {
    if (releases?.length === 0 && isOfCluster !== true) return { id, title, state: 'none', problems: [] };
    const problems = judge(facts);
    if (problems === null) return { id, title, state: 'not-seen', problems: [] };
    const state = isPast === true ? 'past' : 'problem';
    return { id, title, state: problems.length === 0 ? 'ok' : state, problems };
  });
}
