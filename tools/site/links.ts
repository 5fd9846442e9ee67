/** Where a link of a page leads on the site. The pages are written for GitHub, where links between files of the repository are relative. Pure. */
import { posix } from 'node:path';

export interface Repository {
  /** https://github.com/OWNER/NAME */
  readonly homepage: string;
  /** Tag that files are linked at. */
  readonly tag: string;
  /** @param path below the repository */
  readonly isFolder: (path: string) => boolean;
}

const isAbsolute = (link: string): boolean => /^(?:[a-z][a-z0-9+.-]*:|\/|#)/i.test(link);

/**
 * @param page the page that has the link, below the repository: `docs/guides/install.md`
 * @returns a page of docs by the name of its HTML, a file of docs as it is, and any other file at the repository's tag
 */
export function siteLink(page: string, link: string, repository: Repository): string {
  if (isAbsolute(link)) return link;
  const [target = '', anchor] = link.split('#');
  const path = posix.join(posix.dirname(page), target).replace(/\/$/, '');
  if (path.startsWith('docs/')) return link.replace(/\.md(?=#|$)/, '.html');
  const hash = anchor === undefined ? '' : `#${anchor}`;
  return `${repository.homepage}/${repository.isFolder(path) ? 'tree' : 'blob'}/${repository.tag}/${path}${hash}`;
}

/** The name that GitHub gives a heading as its anchor: https://github.com/gjtorikian/html-pipeline, toc_filter.rb. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}
