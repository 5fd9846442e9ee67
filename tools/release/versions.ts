/** One version in every file that names it: package, lock file, chart, plugin, changelog. Pure: texts in, texts out. */

export const versionPattern = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

export const versionedFiles = [
  'package.json',
  'package-lock.json',
  'charts/transship/Chart.yaml',
  'plugins/helm-post-renderer/plugin.yaml',
  'CHANGELOG.md',
] as const;
type VersionedFile = (typeof versionedFiles)[number];
export type Texts = Readonly<Record<VersionedFile, string>>;

const unreleased = /^## (?:Unreleased|\S+, not released yet)$/m;

/**
 * @param date as 2026-11-26
 * @throws Error that names the file whose text is not as expected
 */
export function setVersion(texts: Texts, version: string, date: string): Texts {
  if (!versionPattern.test(version)) throw new Error(`--version ${version} is no version; write it as 1.2.3 (https://semver.org)`);
  const replaced = (file: VersionedFile, pattern: RegExp, replacement: string): string => {
    if (!pattern.test(texts[file])) throw new Error(`${file} has no line like ${pattern}: is it the file of this project?`);
    return texts[file].replace(pattern, replacement);
  };
  const chart = replaced('charts/transship/Chart.yaml', /^version: .*$/m, `version: ${version}`);
  return {
    'package.json': replaced('package.json', /^( {2}"version": )".*"/m, `$1"${version}"`),
    // Its own version stands there twice: for the project and for its root package.
    'package-lock.json': replaced('package-lock.json', /^( {2}"version": )".*"/m, `$1"${version}"`).replace(
      /^( {6}"version": )".*"/m,
      `$1"${version}"`,
    ),
    'charts/transship/Chart.yaml': chart.replace(/^appVersion: .*$/m, `appVersion: ${version}`),
    'plugins/helm-post-renderer/plugin.yaml': replaced('plugins/helm-post-renderer/plugin.yaml', /^version: .*$/m, `version: ${version}`),
    'CHANGELOG.md': replaced('CHANGELOG.md', unreleased, `## ${version}, ${date}`),
  };
}

/** What the changelog says about a version, as release notes. */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^(?=## )/m);
  const section = sections.find((text) => text.startsWith(`## ${version},`));
  if (section === undefined) throw new Error(`CHANGELOG.md says nothing about ${version}`);
  return section.replace(/^.*\n+/, '').trimEnd();
}
