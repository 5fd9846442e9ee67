/** The header Retry-After, in seconds or as a date. RFC 9110, section 10.2.3. Pure. */

/** @returns milliseconds, 0 for a date in the past; null when the header is absent or something else */
export function parseRetryAfter(header: string | readonly string[] | undefined, now: number): number | null {
  const text = (typeof header === 'string' ? header : header?.[0])?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // `Date.parse` accepts far more than HTTP dates, such as a lone number.
  const time = /^[A-Z][a-z]+, .*GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : Math.max(0, time - now);
}
