/** Several files of manifests as one stream (https://yaml.org/spec/1.2.2/#92-streams). */

/** Starts with a document marker; only comments and blank lines are above it. */
const startsDocument = /^\uFEFF?(?:[ \t]*(?:#[^\n]*)?\r?\n)*---(?:\s|$)/;

/** A single text is passed on unchanged; two texts are separated by `---`, unless the second starts with one. */
export function joinTexts(texts: readonly string[]): string {
  return texts.reduce((joined, text) => {
    if (joined === '' || text === '') return joined + text;
    const separator = startsDocument.test(text) ? '' : '---\n';
    return (joined.endsWith('\n') ? joined : `${joined}\n`) + separator + text.replace(/^\uFEFF/, '');
  }, '');
}
