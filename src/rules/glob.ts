/** Names with `*`, which matches any number of characters inside one component. */

/** Whether the whole text matches the pattern. Linear in practice, at worst |pattern| × |text|: no backtracking tree. */
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
 * Whether `outer` matches everything that `inner` can match. Sound, not complete: some coverage of `a*xb` by `a*b` is not detected, so
 * `false` only means that it could not be shown.
 */
export function globCovers(outer: string, inner: string): boolean {
  return outer === inner || outer === '*' || matchesGlob(outer, inner);
}
