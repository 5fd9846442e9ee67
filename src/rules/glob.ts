/** Names with `*`, which stands for any number of characters inside one component. */

/** Whether the text as a whole fits the pattern. Time is linear in practice and at worst |pattern| × |text|: no backtracking tree. */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p;
      p += 1;
      resume = t;
    } else if (p < pattern.length && pattern[p] === text[t]) {
      p += 1;
      t += 1;
    } else if (star !== -1) {
      p = star + 1;
      resume += 1;
      t = resume;
    } else {
      return false;
    }
  }
  while (p < pattern.length && pattern[p] === '*') p += 1;
  return p === pattern.length;
}

export function isGlob(pattern: string): boolean {
  return pattern.includes('*');
}

/**
 * Whether everything that `inner` can match, `outer` matches too. Sound, not complete: `a*b` is not seen to cover `a*xb`'s
 * every case, so a `false` only means that it could not be shown.
 */
export function globCovers(outer: string, inner: string): boolean {
  return outer === inner || outer === '*' || matchesGlob(outer, inner);
}
