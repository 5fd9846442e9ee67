/** Whether the copies of pull secrets are there, and what the controller has to say about them. */
import { adoptAnnotation } from '../../cluster/copy-labels.ts';
import { hasController, listed, releaseCheck, type Problem } from './check.ts';
import type { CopyEvent, CopySource, WantedCopy } from './copies.ts';

/** Milliseconds in which the controller writes a copy, with some to spare. */
const writeDelay = 10_000;
/** Milliseconds after which a dispute without another repair is over: docs/reference/controller.md, "Copies". */
const disputeTime = 15 * 60_000;

export const copies = releaseCheck(
  'copies',
  'copies of pull secrets are there, current and undisputed',
  (release, { now }) => {
    const { wanted, sources, events } = release.copies;
    const { namespace, fullName } = release;
    const logs = `kubectl --namespace ${namespace} logs deployment/${fullName}-controller`;
    const broken = new Set(sources?.filter(({ problem }) => problem !== null).map(({ registry }) => registry));
    const due = (wanted ?? []).filter(
      ({ registry, changed }) => !broken.has(registry) && (changed === null || now.getTime() - changed.getTime() > writeDelay),
    );
    const told = new Set<string>();
    const disputed = (events ?? []).flatMap((event) => {
      const key = `${event.regarding?.namespace}/${event.regarding?.name}`;
      if (now.getTime() - lastSeen(event) > disputeTime || told.has(key)) return [];
      told.add(key);
      return [{ sentence: `copy ${key}: ${event.note}`, remedy: `stop the other client, or see what refuses it; ${logs}` }];
    });
    const wrong = (state: WantedCopy['state']): readonly string[] =>
      due.filter((copy) => copy.state === state && !told.has(keyOf(copy))).map(keyOf);
    const found = [
      ...(sources ?? []).flatMap(sourceProblem),
      ...problemOf(wrong('absent'), 'are missing', logs),
      ...problemOf(wrong('stale'), 'have not the content of their source', logs),
      ...problemOf(
        wrong('foreign'),
        'cannot be written, since Secrets of others with other credentials have their names',
        `delete them, or hand them over to the controller: kubectl annotate secret --namespace NAMESPACE NAME ${adoptAnnotation}=true`,
      ),
      ...disputed,
    ];
    return found.length === 0 && (wanted === null || sources === null || events === null) ? null : found;
  },
  (release) => hasController(release) || release.copies.wanted?.length !== 0 || release.copies.sources?.length !== 0,
);

function sourceProblem({ registry, secret, problem }: CopySource): Problem[] {
  if (problem === null) return [];
  return [
    {
      sentence: `the credentials of registry ${registry} cannot be copied: ${problem}`,
      remedy: `correct Secret ${secret}, from which the copies are made`,
    },
  ];
}

function problemOf(names: readonly string[], what: string, remedy: string): Problem[] {
  if (names.length === 0) return [];
  return [{ sentence: `copies of pull secrets ${what}: ${listed(names)}`, remedy }];
}

const keyOf = ({ namespace, name }: WantedCopy): string => `${namespace}/${name}`;

function lastSeen({ eventTime, series, metadata }: CopyEvent): number {
  return new Date(series?.lastObservedTime ?? eventTime ?? metadata?.creationTimestamp ?? 0).getTime();
}
