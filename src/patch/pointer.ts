/** JSON Pointer, RFC 6901. */

/** One reference token; `~` and `/` are escaped (RFC 6901, section 3). */
export function token(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The unescaped tokens of a pointer. The empty pointer, the whole document, has none. */
export function tokens(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
