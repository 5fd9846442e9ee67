/** One page of the site as HTML: its content between navigation and contents. Pure. */
import { posix } from 'node:path';
import type { NavigationGroup } from './navigation.ts';

export interface Heading {
  readonly level: number;
  readonly id: string;
  readonly text: string;
}

export interface PageContent {
  /** Below docs: `guides/install.md`. */
  readonly path: string;
  readonly title: string;
  readonly html: string;
  readonly headings: readonly Heading[];
  /** Of the Markdown, in the repository. */
  readonly source: string;
  readonly version: string;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);

const htmlName = (path: string): string => path.replace(/\.md$/, '.html');

export function pageHtml(page: PageContent, navigation: readonly NavigationGroup[]): string {
  const root = '../'.repeat(page.path.split('/').length - 1);
  const link = (path: string, text: string, more = ''): string =>
    `<a href="${posix.relative(posix.dirname(page.path), htmlName(path)) || htmlName(posix.basename(page.path))}"${more}>${escapeHtml(text)}</a>`;
  const title = page.path === 'index.md' ? 'transship' : `${page.title} - transship`;
  return `<!doctype html>
<html lang="en" data-root="${root}" data-version="${escapeHtml(page.version)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}site.css">
<script src="${root}theme.js"></script>
<script src="${root}../versions.js" defer></script>
<script src="${root}site.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="${root}index.html">transship</a>
<search>
<label for="search">Search</label>
<input id="search" type="search" autocomplete="off" spellcheck="false" placeholder="Press /" aria-controls="results">
<div id="results" role="region" aria-label="Search results" hidden></div>
</search>
<details class="versions"><summary>Version ${escapeHtml(page.version)}</summary><ul></ul></details>
<label class="theme">Colours <select id="theme"><option value="">of the system</option><option value="light">light</option><option value="dark">dark</option></select></label>
</header>
<div class="columns">
<nav class="pages" aria-label="Pages">
<details open><summary>Pages</summary>
${navigation.map((group) => groupHtml(group, page, link)).join('\n')}
</details>
</nav>
<main id="content" tabindex="-1">
<p class="old" hidden></p>
${page.html}
<footer>${neighbours(page, navigation, link)}<p><a href="${escapeHtml(page.source)}">This page in the repository</a></p></footer>
</main>
${contentsHtml(page.headings)}
</div>
</body>
</html>
`;
}

type Link = (path: string, text: string, more?: string) => string;

function groupHtml({ title, pages }: NavigationGroup, page: PageContent, link: Link): string {
  const items = pages.map((each) => `<li>${link(each.path, each.title, each.path === page.path ? ' aria-current="page"' : '')}</li>`);
  return `<h2>${escapeHtml(title)}</h2>\n<ul>${items.join('')}</ul>`;
}

function neighbours({ path }: PageContent, navigation: readonly NavigationGroup[], link: Link): string {
  const pages = navigation.flatMap((group) => group.pages);
  const index = pages.findIndex((page) => page.path === path);
  const [before, after] = [index > 0 ? pages[index - 1] : undefined, pages[index + 1]];
  const previous = before === undefined ? '' : `<span>Previous: ${link(before.path, before.title, ' rel="prev"')}</span>`;
  const next = after === undefined ? '' : `<span>Next: ${link(after.path, after.title, ' rel="next"')}</span>`;
  return `<p class="neighbours">${previous}${next}</p>`;
}

function contentsHtml(headings: readonly Heading[]): string {
  const shown = headings.filter(({ level }) => level === 2 || level === 3);
  if (shown.length < 2) return '';
  const items = shown.map(({ level, id, text }) => `<li class="level-${level}"><a href="#${id}">${escapeHtml(text)}</a></li>`);
  return `<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>${items.join('')}</ul></nav>`;
}
