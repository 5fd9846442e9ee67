/** A generated part of a page that is otherwise written by hand, between two comments. */

const begin = (name: string): string => `<!-- ${name}: written by npm run generate -->`;
const end = (name: string): string => `<!-- end of ${name} -->`;

/** The page with this section; a page without it, or none at all, gets it at its end. */
export function withSection(page: string | null, name: string, text: string): string {
  const section = `${begin(name)}\n\n${text}\n\n${end(name)}`;
  const current = page ?? '';
  const start = current.indexOf(begin(name));
  const stop = current.indexOf(end(name), start);
  if (start !== -1 && stop !== -1) return current.slice(0, start) + section + current.slice(stop + end(name).length);
  return `${current === '' ? '' : `${current.trimEnd()}\n\n`}${section}\n`;
}
