/** The versions that have a site, newest first: this one, and those that the changelog says were released. Pure. */
export function versionsOf(changelog: string, version: string): readonly string[] {
  const released = [...changelog.matchAll(/^## (\d\S*), \d{4}-\d{2}-\d{2}$/gm)].map(([, name = '']) => name);
  return released.includes(version) ? released : [version, ...released];
}
