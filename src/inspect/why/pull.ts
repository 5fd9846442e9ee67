/** The pull of an image as the kubelet tells it: its error in one sentence, and what to do. Pure. */
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { isPullReason, pullFailureOf } from '../../pod/pull-failure.ts';
import type { Remedied } from '../opt-in.ts';

export interface PullProblem extends Remedied {
  readonly container: string;
  readonly image: string;
  /** Of the kubelet, as it wrote it. */
  readonly message: string;
}

/** @param messages of the pod's events of reason Failed, the newest first: a back-off may not repeat its cause */
export function pullProblems(pod: V1Pod, messages: readonly string[]): PullProblem[] {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].flatMap((status) =>
    problemOf(pod, status, messages),
  );
}

function problemOf(pod: V1Pod, { name, state }: V1ContainerStatus, messages: readonly string[]): PullProblem[] {
  const { reason = '', message = '' } = state?.waiting ?? {};
  if (!isPullReason(reason)) return [];
  const image = imageOf(pod, name);
  const told = [message, ...messages.filter((text) => text.includes(image))];
  return [{ container: name, image, ...pullFailureOf(reason, [image], told) }];
}

function imageOf({ spec }: V1Pod, name: string): string {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
  return all.find((container) => container.name === name)?.image ?? '';
}
