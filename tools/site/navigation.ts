/** The navigation of the site, read from docs/index.md: one group for each heading or bold line, with the links below it in order. Pure. */
import { posix } from 'node:path';

export interface NavigationPage {
  readonly title: string;
  /** Below docs: `guides/install.md`. */
  readonly path: string;
}

export interface NavigationGroup {
  readonly title: string;
  readonly pages: readonly NavigationPage[];
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** @param index the text of docs/index.md; what stands above its first heading of the second level is prose */
export function navigationOf(index: string): readonly NavigationGroup[] {
  const groups: { title: string; pages: NavigationPage[] }[] = [];
  for (const line of index.split('\n')) {
    const title = /^## ([^:]+)/.exec(line)?.[1] ?? /^\*\*(.+)\*\*$/.exec(line)?.[1];
    if (title !== undefined) groups.push({ title, pages: [] });
    for (const [, text = '', link = ''] of line.matchAll(/\[([^\]]+)\]\(([^)#:\s]+\.md)\)/g))
      groups.at(-1)?.pages.push({ title: capitalized(text), path: posix.normalize(link) });
  }
  return groups.filter(({ pages }) => pages.length > 0);
}

/** @returns pages that the navigation lacks, as sentences */
export function missingFrom(groups: readonly NavigationGroup[], pages: readonly string[]): string[] {
  const found = new Set(groups.flatMap((group) => group.pages.map(({ path }) => path)));
  return pages
    .filter((path) => path !== 'index.md' && !found.has(path))
    .map((path) => `docs/${path} is not in the navigation: link it below a heading of docs/index.md`);
}
