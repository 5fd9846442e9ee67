/** What Artifact Hub shows of a released chart (https://artifacthub.io/docs/topics/annotations/helm/). Pure: text in, text out. */
import { parseDocument, stringify } from 'yaml';

export interface ReleasedChart {
  /** With its digest. */
  readonly image: string;
  readonly version: string;
  /** Of this version, as `releaseNotes` returns it: a list in Markdown. */
  readonly notes: string;
}

/** @param chart text of Chart.yaml */
export function withReleaseAnnotations(chart: string, { image, version, notes }: ReleasedChart): string {
  const document = parseDocument(chart);
  const annotate = (name: string, value: string): void => document.setIn(['annotations', `artifacthub.io/${name}`], value);
  annotate('images', stringify([{ name: 'transship', image, platforms: ['linux/amd64', 'linux/arm64'] }], { lineWidth: 0 }));
  annotate('changes', stringify(changesOf(notes), { lineWidth: 0 }));
  annotate('prerelease', String(version.includes('-')));
  return document.toString({ lineWidth: 0 });
}

/** The items of the list; an item may have several lines. */
function changesOf(notes: string): string[] {
  return notes
    .split(/^(?=- )/m)
    .filter((item) => item.startsWith('- '))
    .map((item) => item.slice(2).split('\n\n', 1)[0]?.replace(/\s+/g, ' ').trim() ?? '');
}
