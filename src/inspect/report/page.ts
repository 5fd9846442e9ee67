/** The report of a scan as one HTML file that needs no network: https://html.spec.whatwg.org/ */
import { referenceOf } from '../../image/reference.ts';
import type { Plan, PlannedImage, ScanReport, ScannedImage } from '../scan/report.ts';
import { flowPicture, type Flow } from './flows.ts';
import { html, Html } from '../../text/html.ts';
import { htmlPage } from '../../text/html-page.ts';
import { script } from './script.ts';
import { style } from './style.ts';
import { table } from './table.ts';

/** @param created the time that the page shows */
export function reportPage(report: ScanReport, created: Date): string {
  const { plan } = report;
  const title = plan === null ? 'Images of the pods' : 'What the policy would change';
  const body = html`<header>
      <h1>${title}</h1>
      <p class="weak">Written by transship scan on ${created.toISOString().slice(0, 16).replace('T', ' ')} UTC.</p>
    </header>
    <main>
      ${figures(report)} ${unseen(report)}
      <p class="tools">
        <label>Filter all tables <input id="filter" type="search" autocomplete="off" /></label>
      </p>
      ${plan === null ? '' : planSections(plan)} ${scanSections(report)}
    </main>`;
  return htmlPage({ title, style, body, scripts: [script] });
}

function figures({ pods, images, fallbacks, plan }: ScanReport): Html {
  const all: readonly (readonly [count: number, what: string, isProblem?: boolean])[] = [
    [pods, 'pods'],
    [images.length, 'images'],
    [images.filter(({ hasDigest }) => !hasDigest).length, 'images without a digest'],
    [images.filter(({ isAnonymousHub }) => isAnonymousHub).length, 'images pulled from Docker Hub without a login'],
    ...(fallbacks.length === 0 ? [] : [[fallbacks.reduce((sum, each) => sum + each.pods, 0), 'pods moved to an alternative'] as const]),
    ...(plan === null
      ? []
      : ([
          [changesOf(plan).length, 'images that change'],
          [plan.images.reduce((sum, { waiting }) => sum + waiting, 0), 'changes that wait for a restart'],
          [problemsOf(plan).length, 'images refused or invalid', true],
          [plan.collisions.length, 'targets of two images', true],
          [plan.missingSecrets.length, 'namespaces without a pull secret', true],
          [plan.missingImages.length, 'images missing in their registry', true],
          [plan.unfitSecrets.length, 'repositories that no pull secret fits', true],
        ] as const)),
  ];
  return html`<ul class="figures">
    ${all.map(([count, what, isProblem]) =>
      isProblem && count > 0
        ? html`<li class="problem"><strong>${count}</strong> ${what}</li>`
        : html`<li><strong>${count}</strong> ${what}</li>`,
    )}
  </ul>`;
}

function unseen({ notSeen }: ScanReport): Html {
  if (notSeen.length === 0) return new Html('');
  return html`<p>Not seen: ${notSeen.map(({ what, why }, index) => html`${index === 0 ? '' : '; '}${what} (${why})`)}.</p>`;
}

const changesOf = ({ images }: Plan): PlannedImage[] => images.filter(({ outcome }) => outcome === 'rewritten');
const problemsOf = ({ images }: Plan): PlannedImage[] => images.filter(({ outcome }) => outcome === 'refused' || outcome === 'invalid');

function planSections(plan: Plan): Html[] {
  const [changes, problems] = [changesOf(plan), problemsOf(plan)];
  const others = plan.images.filter((each) => !changes.includes(each) && !problems.includes(each));
  const namespace = { title: 'Namespace', value: (each: PlannedImage) => each.namespace, canGroup: true } as const;
  const image = { title: 'Image', value: (each: PlannedImage) => each.image };
  const pods = { title: 'Pods', value: (each: PlannedImage) => each.pods };
  const reason = { title: 'Reason', value: (each: PlannedImage) => each.reason, canGroup: true } as const;
  return [
    table('problems', 'Refused or invalid', [namespace, image, pods, reason], problems),
    table(
      'collisions',
      'Two images, one target',
      [
        { title: 'Target', value: ({ target }) => target },
        { title: 'Images', value: ({ sources }) => sources.join(', ') },
      ],
      plan.collisions,
    ),
    ...lackSections(plan),
    flowPicture(flowsOf(plan)),
    table(
      'changes',
      'Before and after',
      [
        namespace,
        { title: 'Rule', value: ({ rule }) => rule ?? '-', canGroup: true },
        { title: 'Registry', value: (each) => registryOf(each.image), canGroup: true },
        image,
        { title: 'Becomes', value: ({ result }) => result ?? '-' },
        pods,
        { title: 'To restart', value: ({ waiting }) => waiting },
      ],
      changes,
    ),
    table('others', 'Left alone', [namespace, image, pods, reason], others),
  ];
}

/** What is not there, or does not fit. */
function lackSections(plan: Plan): Html[] {
  return [
    table(
      'missing',
      'Missing pull secrets',
      [
        { title: 'Namespace', value: (each) => each.namespace },
        { title: 'Secrets', value: ({ secrets }) => secrets.join(', ') },
      ],
      plan.missingSecrets,
    ),
    table(
      'lacking',
      'Missing in the registry, as the controller found',
      [
        { title: 'Image', value: (each) => each.image },
        { title: 'Registry', value: ({ registry }) => registry, canGroup: true },
        { title: 'Since', value: ({ since }) => since },
        { title: 'Copy from', value: ({ source }) => source },
        { title: 'Namespaces', value: ({ namespaces }) => namespaces.join(', ') },
      ],
      plan.missingImages,
    ),
    table(
      'unfit',
      'Pull secrets without an entry for the image',
      [
        { title: 'Namespace', value: (each) => each.namespace },
        { title: 'Secrets', value: ({ secrets }) => secrets.join(', ') },
        { title: 'Image', value: (each) => each.image },
      ],
      plan.unfitSecrets,
    ),
  ];
}

function registryOf(image: string): string {
  return referenceOf(image)?.host ?? '(no reference)';
}

function flowsOf({ images }: Plan): Flow[] {
  const flows = new Map<string, Flow>();
  for (const { image, result, pods } of images) {
    const [from, to] = [registryOf(image), registryOf(result ?? image)];
    const key = `${from} ${to}`;
    flows.set(key, { from, to, pods: pods + (flows.get(key)?.pods ?? 0) });
  }
  return [...flows.values()].toSorted((a, b) => b.pods - a.pods || (a.from < b.from ? -1 : 1));
}

function scanSections(report: ScanReport): Html[] {
  const { images, namespaces, imageManagers } = report;
  const moved = images.filter((each): each is ScannedImage & { moved: object } => each.moved !== null);
  return [
    table(
      'moved',
      'Moved or frozen',
      [
        { title: 'Image', value: ({ image }) => image },
        { title: 'Pods', value: ({ pods }) => pods },
        { title: 'Since', value: (each) => `${each.moved.sentence} (${each.moved.source})` },
      ],
      moved,
    ),
    fallbackSection(report),
    table(
      'images',
      'Images as they are now',
      [
        { title: 'Registry', value: ({ registry }) => registry || '(no reference)', canGroup: true },
        { title: 'Image', value: ({ image }) => image },
        { title: 'Digest', value: ({ hasDigest }) => (hasDigest ? 'yes' : 'no'), canGroup: true },
        { title: 'Docker Hub login', value: ({ isAnonymousHub }) => (isAnonymousHub ? 'none' : '-') },
        { title: 'Pods', value: ({ pods }) => pods },
        { title: 'Namespaces', value: (each) => each.namespaces.join(', ') },
      ],
      images,
    ),
    table(
      'namespaces',
      'Namespaces',
      [
        { title: 'Namespace', value: ({ name }) => name },
        { title: 'Opt-in label', value: ({ label }) => label ?? '-', canGroup: true },
        { title: 'Pods', value: ({ pods }) => pods },
      ],
      namespaces,
    ),
    table(
      'managers',
      'Operators that compare images: left alone',
      [
        { title: 'Operator', value: ({ name }) => name },
        { title: 'Pods', value: ({ pods }) => pods },
      ],
      imageManagers,
    ),
    ...unexaminedSections(report),
  ];
}

function fallbackSection({ fallbacks }: ScanReport): Html {
  return table(
    'fallbacks',
    'Moved to an alternative, since nodes could not pull the image',
    [
      { title: 'Namespace', value: ({ namespace }) => namespace, canGroup: true },
      { title: 'From', value: ({ from }) => from },
      { title: 'To', value: ({ to }) => to },
      { title: 'Reason', value: ({ reason }) => reason ?? '-', canGroup: true },
      { title: 'Pods', value: (each) => each.pods },
      { title: 'Since', value: ({ since }) => since },
      { title: 'Latest', value: ({ latest }) => latest },
    ],
    fallbacks,
  );
}

function unexaminedSections({ unexamined, customResources }: ScanReport): Html[] {
  return [
    table(
      'unexamined',
      'Images in arguments and environment variables: not rewritten',
      [
        { title: 'Pod', value: ({ object }) => object },
        { title: 'Image', value: ({ image }) => image },
      ],
      unexamined,
    ),
    table(
      'custom-resources',
      'Images in custom resources: rewritten when an operator makes a pod with them',
      [
        { title: 'Namespace', value: ({ namespace }) => namespace ?? '-', canGroup: true },
        { title: 'Kind', value: ({ kind }) => kind, canGroup: true },
        { title: 'Name', value: ({ name }) => name },
        { title: 'Field', value: ({ field }) => field },
        { title: 'Image', value: ({ image }) => image },
      ],
      customResources,
    ),
  ];
}
