/** The report of `scan` as tables for people. */
import type { Plan, ScanReport } from '../inspect/scan/report.ts';
import { joined, printed, type Printable } from '../text/printable.ts';
import { count } from './manifest-input.ts';
import { table } from './table.ts';

/** Rows of one table; the JSON has all of them. */
const maxRows = 40;

export function scanPage(report: ScanReport): Printable {
  const { pods, images, namespaces, imageManagers, fallbacks, unexamined, customResources, plan } = report;
  const registries = Map.groupBy(images, ({ registry }) => registry || '(no reference)');
  const byRegistry = [...registries].map(([registry, own]) => [
    registry,
    String(own.length),
    String(own.reduce((sum, each) => sum + each.pods, 0)),
  ]);
  const moved = images.flatMap((each) =>
    each.moved === null ? [] : [[each.image, String(each.pods), `${each.moved.sentence} (${each.moved.source})`]],
  );
  const anonymous = images.filter(({ isAnonymousHub }) => isAnonymousHub);
  const tags = images.filter(({ hasDigest }) => !hasDigest);
  return joined([
    printed`${count(pods, 'pod')}, ${count(images.length, 'image')}, ${count(tags.length, 'image')} without a digest, ${count(anonymous.length, 'image')} pulled from Docker Hub without a login\n`,
    section('Registries', ['REGISTRY', 'IMAGES', 'PODS'], byRegistry),
    section('Moved or frozen', ['IMAGE', 'PODS', 'SINCE'], moved),
    section(
      'Namespaces',
      ['NAMESPACE', 'LABEL', 'PODS'],
      namespaces.map(({ name, label, pods: own }) => [name, label ?? '-', String(own)]),
    ),
    section(
      'Moved to an alternative, since nodes could not pull the image',
      ['NAMESPACE', 'PODS', 'SINCE', 'REASON', 'FROM', 'TO'],
      fallbacks.map(({ namespace, pods: own, since, reason, from, to }) => [namespace, String(own), since, reason ?? '-', from, to]),
    ),
    section(
      'Operators that compare images: left alone',
      ['OPERATOR', 'PODS'],
      imageManagers.map(({ name, pods: own }) => [name, String(own)]),
    ),
    section(
      'Images in arguments and environment variables: not rewritten',
      ['POD', 'IMAGE'],
      unexamined.map(({ object, image }) => [object, image]),
    ),
    section(
      'Images in custom resources: rewritten when an operator makes a pod with them',
      ['OBJECT', 'FIELD', 'IMAGE'],
      customResources.map(({ namespace, kind, name, field, image }) => [`${namespace ?? '-'} ${kind}/${name}`, field, image]),
    ),
    ...(plan === null ? [] : planSections(plan)),
  ]);
}

function planSections({ images, collisions, missingSecrets, missingImages, unfitSecrets }: Plan): Printable[] {
  const changes = images.filter(({ outcome }) => outcome === 'rewritten');
  const problems = images.filter(({ outcome }) => outcome === 'refused' || outcome === 'invalid');
  const others = Map.groupBy(
    images.filter((each) => !changes.includes(each) && !problems.includes(each)),
    ({ reason }) => reason,
  );
  return [
    section(
      'The policy rewrites',
      ['NAMESPACE', 'RULE', 'PODS', 'TO RESTART', 'IMAGE', 'BECOMES'],
      changes.map(({ namespace, rule, pods, waiting, image, result }) => [
        namespace,
        rule ?? '-',
        String(pods),
        String(waiting),
        image,
        result ?? '-',
      ]),
    ),
    section(
      'Refused or invalid',
      ['NAMESPACE', 'IMAGE', 'REASON'],
      problems.map(({ namespace, image, reason }) => [namespace, image, reason]),
    ),
    section(
      'Left alone',
      ['IMAGES', 'PODS', 'REASON'],
      [...others].map(([reason, all]) => [
        String(new Set(all.map(({ image }) => image)).size),
        String(all.reduce((sum, { pods }) => sum + pods, 0)),
        reason,
      ]),
    ),
    section(
      'Two images, one target',
      ['TARGET', 'SOURCES'],
      collisions.map(({ target, sources }) => [target, sources.join(', ')]),
    ),
    section(
      'Missing pull secrets',
      ['NAMESPACE', 'SECRETS'],
      missingSecrets.map(({ namespace, secrets }) => [namespace, secrets.join(', ')]),
    ),
    section(
      'Missing in the registry, as the controller found',
      ['IMAGE', 'REGISTRY', 'SINCE', 'COPY FROM', 'NAMESPACES'],
      missingImages.map(({ image, registry, source, since, namespaces }) => [image, registry, since, source, namespaces.join(', ')]),
    ),
    section(
      'Pull secrets without an entry for the image',
      ['NAMESPACE', 'SECRETS', 'IMAGE'],
      unfitSecrets.map(({ namespace, secrets, image }) => [namespace, secrets.join(', '), image]),
    ),
  ];
}

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): Printable {
  if (rows.length === 0) return printed``;
  const more = rows.length > maxRows ? printed`\n  and ${rows.length - maxRows} more; -o json has all of them` : printed``;
  return joined([printed`\n${title}\n`, table([head, ...rows.slice(0, maxRows)], '  '), more, printed`\n`]);
}
