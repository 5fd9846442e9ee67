/**
 * Builds the pages of one version: `node tools/site/build.js OPTIONS`, from the checkout. Run by site.ts, which has installed the packages that
 * this imports. OPTIONS is JSON: `output` and `version`.
 */
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Eleventy } from '@11ty/eleventy';
import { brokenLinks } from './check-links.ts';
import { setUpMarkdown } from './markdown.js';
import { missingFrom, navigationOf } from './navigation.ts';
import { pageHtml } from './page.ts';
import { readPage } from './read-page.js';

const { output, version } = JSON.parse(process.argv[2] ?? '{}');
const docs = 'docs';
const here = import.meta.dirname;

const { repository: address } = JSON.parse(readFileSync('package.json', 'utf8'));
const homepage = address.url.replace(/^git\+|\.git$/g, '');
const repository = { homepage, tag: `v${version}`, isFolder: (path) => existsSync(path) && statSync(path).isDirectory() };
const navigation = navigationOf(readFileSync(join(docs, 'index.md'), 'utf8'));

/** A rendered document of Markdown as a page of the site. */
function wholePage(content, { inputPath }) {
  const path = relative(docs, inputPath);
  const { sections } = readPage(content);
  const [first] = sections;
  if (first?.level !== 1) throw new Error(`docs/${path} does not begin with a heading of the first level, which is its title`);
  const headings = sections.map(({ level, id, title }) => ({ level, id, text: title }));
  const source = `${homepage}/blob/${repository.tag}/docs/${path}`;
  return pageHtml({ path, title: first.title, html: content, headings, source, version }, navigation);
}

function configure(config) {
  // Braces in the documents are of Helm and Go, and not of a template.
  config.addGlobalData('templateEngineOverride', 'md');
  config.setTemplateFormats(['md']);
  config.setUseGitIgnore(false);
  config.amendLibrary('md', (markdown) => setUpMarkdown(markdown, repository));
  config.addGlobalData(
    'permalink',
    () =>
      ({ page }) =>
        `${page.filePathStem}.html`,
  );
  config.addTransform('page', function transform(content) {
    return wholePage(content, this.page);
  });
}

/** What is no page: pictures, examples, the schema. */
function copyFiles() {
  const files = globSync('**/*', { cwd: docs }).filter((path) => statSync(join(docs, path)).isFile() && !path.endsWith('.md'));
  const copies = files.map((path) => [join(docs, path), path]);
  const theme = ['site.css', 'site.js', 'theme.js'].map((name) => [join(here, 'theme', name), name]);
  const packages = join(here, 'node_modules');
  const search = [
    [join(packages, 'minisearch/dist/umd/index.js'), 'minisearch.js'],
    [join(packages, 'minisearch/LICENSE.txt'), 'minisearch.LICENSE.txt'],
  ];
  for (const [from, to] of [...copies, ...theme, ...search]) {
    mkdirSync(dirname(join(output, to)), { recursive: true });
    copyFileSync(from, join(output, to));
  }
}

/** A script and not JSON: pages that are opened as files may load scripts, and fetch nothing. */
function writeSearchDocuments(pages) {
  const documents = pages.flatMap(({ url, content }) => {
    // Without header, navigation and footer, whose words are on every page.
    const main = content.slice(content.indexOf('<main'), content.indexOf('<footer'));
    const { sections } = readPage(main);
    return sections.map(({ id, title, text }) => ({ url: `${url}#${id}`, page: sections[0].title, title, text }));
  });
  writeFileSync(join(output, 'search-documents.js'), `searchDocuments = ${JSON.stringify(documents)};\n`);
}

const eleventy = new Eleventy(docs, relative('.', output), { quietMode: true, configPath: false, config: configure });
const [, built] = await eleventy.executeBuild('fs');
const pages = built
  .filter(({ content }) => content !== undefined)
  .map(({ outputPath, content }) => ({ file: resolve(outputPath), url: relative(output, resolve(outputPath)), content }))
  .toSorted((one, other) => (one.url < other.url ? -1 : 1));
copyFiles();
writeSearchDocuments(pages);

const problems = [
  ...missingFrom(navigation, globSync('**/*.md', { cwd: docs }).toSorted()),
  ...brokenLinks(output, new Map(pages.map(({ file, content }) => [file, readPage(content)]))),
];
if (problems.length > 0) {
  process.stderr.write(problems.map((problem) => `${problem}\n`).join(''));
  process.exitCode = 1;
} else process.stdout.write(`${pages.length} pages\n`);
