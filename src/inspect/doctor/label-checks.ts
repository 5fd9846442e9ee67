/** Whether opt-in labels say what they are meant to. */
import type { V1Namespace } from '@kubernetes/client-node';
import { labelMistake, modeFor, optInValue, type Remedied } from '../opt-in.ts';
import { labelOnWorkload } from '../why/not-asked.ts';
import { templateRemedy, type Workload } from '../why/subject.ts';
import type { Check, Problem } from './check.ts';
import type { Facts, ReleaseFacts } from './facts.ts';

/** Values of another release's labels are no mistakes: all releases must call it one. */
function mistakeFor(releases: readonly ReleaseFacts[], judge: (release: ReleaseFacts) => Remedied | null): Problem[] {
  const found = releases.map(judge);
  const [first] = found;
  return first === undefined || first === null || found.includes(null) ? [] : [{ sentence: first.sentence, remedy: first.remedy }];
}

const namespaceLabels: Check = {
  id: 'namespace-labels',
  title: 'labels of namespaces are spelled right',
  judge: ({ namespaces, releases }) => {
    if (namespaces === null || releases === null) return null;
    return namespaces.flatMap(({ metadata }) =>
      mistakeFor(releases, (release) => {
        const { name = '', labels, annotations } = metadata ?? {};
        const mistake = labelMistake(release, { labels, annotations }, `kubectl label namespace ${name}`);
        return mistake === null ? null : { ...mistake, sentence: `namespace ${name}: ${mistake.sentence}` };
      }),
    );
  },
};

const workloadLabels: Check = {
  id: 'workload-labels',
  title: 'labels of workloads are spelled right, and on the template of their pods',
  judge: ({ workloads, releases }) => {
    if (workloads === null || releases === null) return null;
    return workloads.flatMap((workload) => mistakeFor(releases, (release) => workloadMistake(release, workload)));
  },
};

function workloadMistake(release: ReleaseFacts, workload: Workload): Remedied | null {
  const { namespace = '', name } = workload.metadata ?? {};
  const { labels, annotations } = workload.spec?.template?.metadata ?? {};
  const mistake = labelMistake(release, { labels, annotations }, '');
  const found =
    mistake === null
      ? labelOnWorkload(release, workload)
      : { ...mistake, remedy: templateRemedy(workload, namespace, optInValue(release)) };
  return found === null ? null : { ...found, sentence: `${workload.kind} ${namespace}/${name}: ${found.sentence}` };
}

const oneRelease: Check = {
  id: 'one-release',
  title: 'no namespace is wanted by two releases',
  judge: ({ namespaces, releases }) => {
    if (namespaces === null || releases === null) return null;
    return namespaces.flatMap((namespace) => wantedTwice(namespace, releases));
  },
};

function wantedTwice({ metadata }: V1Namespace, releases: NonNullable<Facts['releases']>): Problem[] {
  const name = metadata?.name ?? '';
  const wanting = releases.filter((release) => modeFor(release, { name, labels: metadata?.labels }, {}) !== null);
  if (wanting.length < 2) return [];
  const names = wanting.map((release) => `${release.namespace}/${release.name}`).join(' and ');
  return [
    {
      sentence: `namespace ${name} is wanted by the releases ${names}; the order of their changes is not defined`,
      remedy: 'give one of them another optIn.value',
    },
  ];
}

export const labelChecks: readonly Check[] = [namespaceLabels, workloadLabels, oneRelease];
