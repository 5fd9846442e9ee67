/** The documents among themselves: each link leads somewhere, and each page is found from the index. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';

const project = fileURLToPath(new URL('..', import.meta.url));
const pages = [...globSync('*.md', { cwd: project }), ...globSync('{docs,certs,charts,test,bench}/**/*.md', { cwd: project })]
  .filter((page) => !page.includes('node_modules'))
  .toSorted();

/** Without code, in which brackets are no links. */
const textOf = (page: string): string =>
  readFileSync(join(project, page), 'utf8')
    .replaceAll(/^```[^]*?^```/gm, '')
    .replaceAll(/`[^`\n]*`/g, '');

const linksOf = (page: string): string[] => [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
const isLocal = (link: string): boolean => !/^(?:[a-z]+:|#)/.test(link);
const fileOf = (page: string, link: string): string => normalize(join(dirname(page), link.replace(/#.*$/, '')));

/** As GitHub names the headings of a page (https://github.com/gjtorikian/html-pipeline, toc_filter.rb). */
function anchorsOf(page: string): Set<string> {
  const headings = [
    ...readFileSync(join(project, page), 'utf8')
      .replaceAll(/^```[^]*?^```/gm, '')
      .matchAll(/^#+ (.*)$/gm),
  ];
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

test('every link between the pages leads to a file, and to a heading of it', (t) => {
  t.ok(pages.length > 20, `${pages.length} pages`);
  for (const page of pages)
    for (const link of linksOf(page).filter(isLocal)) {
      const file = fileOf(page, link);
      const exists = existsSync(join(project, file));
      t.ok(exists, `${page}: ${link}`);
      const [, anchor] = link.split('#');
      if (exists && anchor !== undefined && file.endsWith('.md')) t.ok(anchorsOf(file).has(anchor), `${page}: ${link}`);
    }
  t.end();
});

test('every page of docs is found from its index', (t) => {
  const found = new Set(linksOf('docs/index.md').map((link) => fileOf('docs/index.md', link)));
  for (const page of pages.filter((path) => path.startsWith('docs/') && path !== 'docs/index.md')) t.ok(found.has(page), page);
  t.end();
});
