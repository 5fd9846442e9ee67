/** Every link of the built site leads to a file of it and to an anchor of that file, and no page loads anything of another host. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export interface Section {
  readonly level: number;
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** What the HTML of a page says. */
export interface ReadPage {
  readonly anchors: ReadonlySet<string>;
  /** That a reader follows. */
  readonly links: readonly string[];
  /** That the browser loads by itself. */
  readonly files: readonly string[];
  /** Each from one heading to the next. */
  readonly sections: readonly Section[];
}

const isElsewhere = (link: string): boolean => /^(?:https?:|mailto:)/.test(link);

/**
 * @param site folder of the site
 * @param pages by file
 * @returns a sentence for each link that is wrong
 */
export function brokenLinks(site: string, pages: ReadonlyMap<string, ReadPage>): string[] {
  const problems: string[] = [];
  for (const [file, { links, files }] of pages) {
    const name = relative(site, file);
    for (const link of files.filter(isElsewhere)) problems.push(`${name} loads ${link}: a page may load nothing of another host`);
    for (const link of [...links, ...files].filter((each) => !isElsewhere(each) && !each.startsWith('data:'))) {
      const problem = problemOf(link, file, pages);
      if (problem !== null) problems.push(`${name}: ${link}: ${problem}`);
    }
  }
  return problems;
}

function problemOf(link: string, file: string, pages: ReadonlyMap<string, ReadPage>): string | null {
  const [path = '', anchor] = decodeURI(link).split('#');
  const target = path === '' ? file : join(dirname(file), path);
  if (!existsSync(target) || statSync(target).isDirectory()) return 'there is no such page or file';
  return anchor === undefined || pages.get(target)?.anchors.has(anchor) === true ? null : 'the page has no such heading';
}
