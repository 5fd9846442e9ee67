/** What the checks of all registries come to: for the ConfigMap, for `/readyz`, and for metrics. Pure. */
import { emptyStatus, type MissingImage, type VerifyProblem, type VerifyStatus } from '../../registry/verify-status.ts';
import type { CheckResult, ImageCheck } from './image-check.ts';
import type { RegistryTrouble } from './registry-checks.ts';

export interface RegistryState {
  readonly checks: readonly ImageCheck[];
  readonly trouble: RegistryTrouble | null;
}

/** @param registries by name */
export function statusOf(registries: ReadonlyMap<string, RegistryState>, leftOut: number): VerifyStatus {
  const all = [...registries];
  return {
    ...emptyStatus,
    missing: all.flatMap(([, { checks }]) => checks.filter(({ result }) => result === 'missing').map(missingImage)),
    problems: all.flatMap(([registry, state]) => problemsOf(registry, state)),
    leftOut,
  };
}

function missingImage({ image: { image, registry, source }, since }: ImageCheck): MissingImage {
  return { image, registry, source, since: new Date(since).toISOString() };
}

/** One for each kind, with the first image that has it. */
function problemsOf(registry: string, { checks, trouble }: RegistryState): VerifyProblem[] {
  const refused = (['unauthorized', 'unknown'] as const).flatMap((result) => {
    const [first] = checks.filter((check) => check.result === result).toSorted((a, b) => a.since - b.since);
    if (first === undefined) return [];
    return [{ registry, result, reason: `${first.reason} for ${first.image.image}`, since: new Date(first.since).toISOString() }];
  });
  const { result, reason, since } = trouble ?? {};
  if (result === undefined || reason === undefined || since === undefined) return refused;
  return [{ registry, result, reason, since: new Date(since).toISOString() }, ...refused];
}

const maxNamed = 5;

/** The first names, and how many more there are. */
export function named(images: readonly string[]): string {
  const more = images.length > maxNamed ? ` and ${images.length - maxNamed} more` : '';
  return `${images.slice(0, maxNamed).join(', ')}${more}`;
}

/** For people. */
export function problemTexts({ missing, problems, leftOut }: VerifyStatus): string[] {
  const byRegistry = Map.groupBy(missing, ({ registry }) => registry);
  return [
    ...problems.map(({ registry, reason }) => `registry ${registry}: ${reason}`),
    ...[...byRegistry].map(([registry, images]) => missingText(registry, images.map(({ image }) => image).toSorted())),
    ...(leftOut === 0 ? [] : [`${leftOut} images are not checked, because there are too many`]),
  ];
}

export function missingText(registry: string, images: readonly string[]): string {
  return `registry ${registry} lacks ${images.length === 1 ? 'an image' : `${images.length} images`} that pods need: ${named(images)}`;
}

export function countResults(checks: readonly ImageCheck[]): ReadonlyMap<CheckResult, number> {
  const counts = new Map<CheckResult, number>();
  for (const { result } of checks) counts.set(result, (counts.get(result) ?? 0) + 1);
  return counts;
}
