/** What the built HTML of a page says: its anchors, its links and its text by section. */
import { Parser } from 'htmlparser2';

const headings = new Set(['h1', 'h2', 'h3', 'h4', 'h5', 'h6']);
const blocks = new Set(['p', 'li', 'td', 'th', 'tr', 'pre', 'br', 'div', ...headings]);

/**
 * @param {string} html a whole page or a part of one
 * @returns {import('./check-links.ts').ReadPage}
 */
export function readPage(html) {
  /** @type {Set<string>} */
  const anchors = new Set();
  /** @type {string[]} */
  const links = [];
  /** @type {string[]} */
  const files = [];
  /** @type {{ level: number, id: string, title: string, text: string }[]} */
  const sections = [];
  let heading = null;
  const parser = new Parser({
    onopentag(name, attributes) {
      if (attributes.id !== undefined) anchors.add(attributes.id);
      if (name === 'a' && attributes.href !== undefined) links.push(attributes.href);
      if (name === 'link' && attributes.href !== undefined) files.push(attributes.href);
      if (attributes.src !== undefined) files.push(attributes.src);
      if (headings.has(name)) {
        heading = { level: Number(name[1]), id: attributes.id ?? '', title: '', text: '' };
        sections.push(heading);
      }
    },
    ontext(text) {
      const section = sections.at(-1);
      if (heading !== null) heading.title += text;
      else if (section !== undefined) section.text += text;
    },
    onclosetag(name) {
      if (headings.has(name)) heading = null;
      const section = sections.at(-1);
      if (blocks.has(name) && section !== undefined) section.text += ' ';
    },
  });
  parser.end(html);
  for (const section of sections) section.text = section.text.replaceAll(/\s+/g, ' ').trim();
  return { anchors, links, files, sections };
}
