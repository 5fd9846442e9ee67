/** A row of what an export makes of a key of a policy, and the policies that rows vary. */
import type { RewriteTarget } from '../../src/policy/transform/transforms.ts';
import type { PolicyInput, RuleInput } from '../rules/policy.ts';

/**
 * `said`: the files differ. `refused`: it is named, with its place. `nothing`: it is about neither admission nor pulls, or is the default.
 */
export type Meaning = 'said' | 'refused' | 'nothing';

export interface Row {
  /** Leaves of the schema. */
  readonly keys: readonly string[];
  readonly with: PolicyInput;
  readonly without: PolicyInput;
  /** For the formats of admission, and where it is refused. */
  readonly admission: Meaning;
  /** For the configuration of nodes. */
  readonly node: Meaning;
  /** Of the refusal, in the policy; `node` where nodes refuse another place. */
  readonly at?: string;
  readonly nodeAt?: string;
  /** Whether nodes do not reach the registry `mirror`. */
  readonly isUnavailable?: true;
}

export type Input = PolicyInput;
type Registries = NonNullable<Input['registries']>;
export type Rewrite = { readonly as: RewriteTarget['as']; readonly registry?: string } & Readonly<Record<string, unknown>>;

export const registries: Registries = {
  mirror: { host: 'mirror.example.com/hub' },
  other: { host: 'other.example.com' },
  open: { host: 'open.example.com' },
};
export const toMirror: Rewrite = { registry: 'mirror', as: 'path' };
export const match: RuleInput['match'] = { images: ['docker.io', 'quay.io'] };
export const rule = (more: Partial<RuleInput> = {}): RuleInput => ({ name: 'r', match, rewrite: toMirror, ...more });
export const policy = (more: Partial<RuleInput> = {}, rest: Input = {}): Input => ({ registries, ...rest, rules: [rule(more)] });
export const mirror = (more: object): Input => policy({}, { registries: { ...registries, mirror: { ...registries['mirror'], ...more } } });
export const base = policy();

export const said = { admission: 'said', node: 'said' } as const;
export const nothing = { admission: 'nothing', node: 'nothing' } as const;
export const refused = { admission: 'refused', node: 'refused' } as const;
/** A matter of pods. */
export const ofPods = { admission: 'said', node: 'refused' } as const;
/** Nothing that a node does depends on it: it pulls with its own credentials, and what it does not pull has no mirror. */
export const ofPodsAlone = { admission: 'said', node: 'nothing' } as const;
