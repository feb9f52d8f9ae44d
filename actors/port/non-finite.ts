// Is this JSON but for NaN and infinities, as Python's `json` writes them? Pure.

/** What Python writes for the floats that JSON lacks. */
const NON_FINITE = /-?Infinity|NaN/gu;

/**
 * The value of a text that is JSON once `NaN`, `Infinity` and `-Infinity` outside its strings are null.
 * @returns undefined when it holds none of them, or is no JSON even so.
 */
export function parseWithNonFinite(text: string): unknown {
  const parts: string[] = [];
  let replaced = 0;
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const stringAt = quote < 0 ? text.length : quote;
    const between = text.slice(at, stringAt);
    const cured = between.replaceAll(NON_FINITE, 'null');
    if (cured !== between) replaced += 1;
    at = endOfString(text, stringAt);
    parts.push(cured, text.slice(stringAt, at));
  }
  if (replaced === 0) return undefined;
  try {
    return JSON.parse(parts.join(''));
  } catch {
    return undefined;
  }
}

/** Behind the closing quote of the string that begins there. By hand: a pattern with alternatives in a loop would take stack for every character. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, text.length);
}
