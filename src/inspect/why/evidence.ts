/** What a judgement is made from, and what it says. */
import type { V1Namespace, V1Pod } from '@kubernetes/client-node';
import type { CompiledPolicy } from '../../rules/compile.ts';
import type { TakenStep } from '../../pod/fallback-record.ts';
import type { ReasonCode } from '../../policy/reason.ts';
import type { Release } from '../releases.ts';
import type { NotRewrittenCode, PullCode } from './codes.ts';
import type { Workload } from './subject.ts';

export interface Evidence {
  readonly pod: V1Pod;
  readonly workload: Workload | null;
  /** Null when it may not be read: then its labels count as absent, and the view says so. */
  readonly namespace: V1Namespace | null;
  /** Null when neither webhook configurations nor bindings of admission policies may be read. */
  readonly releases: readonly Release[] | null;
  /** Of the release whose policy it is. */
  readonly policy: CompiledPolicy;
}

export interface ContainerVerdict {
  /** Name of the container, or `volume.` and the volume's name. */
  readonly name: string;
  /** As the pod was written. */
  readonly written: string;
  /** As the pod has it now. */
  readonly image: string;
  /** That rewrote it, as the pod records it, else the one that decides now. */
  readonly rule: string | null;
  /** Of the policy that rewrote it; null where the pod has no record of it. */
  readonly revision: string | null;
  readonly code: 'rewritten' | ReasonCode | NotRewrittenCode | PullCode;
  readonly reason: string;
  /** Null when there is nothing to do. */
  readonly remedy: string | null;
  /** How the controller moved it to alternatives of its rule, in order. */
  readonly steps: readonly TakenStep[];
  /** Whether the policy wants another image than the pod has. */
  readonly isFinding: boolean;
}

export type Verdict = Pick<ContainerVerdict, 'code' | 'reason' | 'remedy' | 'isFinding'>;
