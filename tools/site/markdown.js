/** How Markdown becomes HTML here: anchors of headings and links as the site has them, tables that scroll, code in colours. */
import anchor from 'markdown-it-anchor';
import highlight from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import json from 'highlight.js/lib/languages/json';
import shell from 'highlight.js/lib/languages/shell';
import yaml from 'highlight.js/lib/languages/yaml';
import { anchorOf, siteLink } from './links.ts';

for (const [name, language] of Object.entries({ bash, sh: bash, json, console: shell, yaml })) highlight.registerLanguage(name, language);

/**
 * @param {import('markdown-it').default} markdown
 * @param {import('./links.ts').Repository} repository
 */
export function setUpMarkdown(markdown, repository) {
  markdown.set({
    highlight: (text, language) => (highlight.getLanguage(language) ? highlight.highlight(text, { language }).value : ''),
  });
  // Eleventy turns blocks of code by indentation off.
  markdown.enable('code');
  markdown.use(anchor, { slugify: anchorOf, permalink: anchor.permalink.headerLink() });
  const { rules } = markdown.renderer;
  rules['table_open'] = () => '<div class="table"><table>\n';
  rules['table_close'] = () => '</table></div>\n';
  // A header that says nothing is an empty cell.
  markdown.core.ruler.push('empty-headers', ({ tokens }) => {
    for (const [index, token] of tokens.entries())
      if (token.type === 'th_open' && tokens[index + 1].content === '') token.tag = tokens[index + 2].tag = 'td';
  });
  markdown.core.ruler.push('site-links', ({ tokens, env }) => {
    const page = env.page.inputPath.replace(/^\.\//, '');
    for (const token of tokens.flatMap(({ children }) => children ?? []))
      for (const name of ['href', 'src']) {
        const link = token.attrGet(name);
        if (link !== null) token.attrSet(name, siteLink(page, link, repository));
      }
  });
}
