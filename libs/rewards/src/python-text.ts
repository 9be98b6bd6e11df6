// What Python's str and re do with text where JavaScript differs; LongBench's metrics are defined by them.

/** Python's white space holds U+001C..U+001F and U+0085 but not U+FEFF, unlike JavaScript's. */
const whiteSpace = /[\t-\r\u{1c}-\u{20}\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u; // oxlint-disable-line no-control-regex

/** str.split(): the words between runs of white space. */
export function pythonWords(text: string): string[] {
  return text.split(whiteSpace).filter((word) => word !== '');
}

/** re.findall(r"\d+"): runs of decimal digits of any script. */
export function pythonNumbers(text: string): string[] {
  return text.match(/\p{Nd}+/gu) ?? [];
}

/** round(x): halves go to the even neighbour. */
export function pythonRound(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
