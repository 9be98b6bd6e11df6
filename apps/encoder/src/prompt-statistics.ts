/** What `promptStatistics` tells of a text, in this order. */
export const statisticNames = [
  'length',
  'lines',
  'spaces',
  'code',
  'digits',
  'cjk',
  'otherScripts',
  'questionPosition',
] as const;

export type StatisticName = (typeof statisticNames)[number];

/** 2^20 characters, 2^16 lines: what is longer counts as that. */
const lengthExponent = 20;
const linesExponent = 16;

/**
 * Features of a text that need no model, each in [0, 1]. With n characters (code points), s of them white space, l letters:
 *
 *     length           min(1, log2(1 + n) / 20)
 *     lines            min(1, log2(1 + line feeds) / 16)
 *     spaces           s / n
 *     code             those of {}[]()<>=;_\/|&*+^~#$@%` / (n - s)
 *     digits           decimal digits of any script / (n - s)
 *     cjk              letters of Han, Hiragana, Katakana, Bopomofo and Hangul / l
 *     otherScripts     letters of neither those nor Latin / l
 *     questionPosition end of the last question mark or marker such as `Question:` / UTF-16 units of the text; 0 without
 *
 * A share of nothing is 0. Linear in the text.
 */
export function promptStatistics(text: string): Float32Array {
  const counts = countCharacters(text);
  const { characters, lineFeeds, spaces, code, digits, latin, cjk, otherScripts } = counts;
  const visible = characters - spaces;
  const letters = latin + cjk + otherScripts;
  const statistics: Record<StatisticName, number> = {
    length: Math.min(1, Math.log2(1 + characters) / lengthExponent),
    lines: Math.min(1, Math.log2(1 + lineFeeds) / linesExponent),
    spaces: share(spaces, characters),
    code: share(code, visible),
    digits: share(digits, visible),
    cjk: share(cjk, letters),
    otherScripts: share(otherScripts, letters),
    questionPosition: share(lastQuestion(text), text.length),
  };
  return Float32Array.from(statisticNames, (name) => statistics[name]);
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

const kinds = ['other', 'spaces', 'code', 'digits', 'latin', 'cjk', 'otherScripts'] as const;
type Kind = (typeof kinds)[number];
/** Kinds of the characters below U+10000, one more than their index; 0 where it is not known yet. */
const known = new Uint8Array(1 << 16);

const codeCharacters = new Set('{}[]()<>=;_\\/|&*+^~#$@%`');
const isCjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Hangul}]/u;

function kindOf(character: string): Kind {
  if (/\s/u.test(character)) return 'spaces';
  if (codeCharacters.has(character)) return 'code';
  if (/\p{Nd}/u.test(character)) return 'digits';
  if (!/\p{L}/u.test(character)) return 'other';
  if (/\p{Script=Latin}/u.test(character)) return 'latin';
  return isCjk.test(character) ? 'cjk' : 'otherScripts';
}

function kindIndex(point: number): number {
  if (point >= known.length) return kinds.indexOf(kindOf(String.fromCodePoint(point)));
  known[point] ||= kinds.indexOf(kindOf(String.fromCodePoint(point))) + 1;
  return known[point] - 1;
}

function countCharacters(text: string): Record<Kind | 'characters' | 'lineFeeds', number> {
  const counts = new Float64Array(kinds.length);
  let characters = 0;
  let lineFeeds = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point >= known.length) i++;
    if (point === 10) lineFeeds++;
    characters++;
    counts[kindIndex(point)]!++;
  }
  const [other, spaces, code, digits, latin, cjk, otherScripts] = counts as unknown as number[];
  return {
    characters,
    lineFeeds,
    other: other!,
    spaces: spaces!,
    code: code!,
    digits: digits!,
    latin: latin!,
    cjk: cjk!,
    otherScripts: otherScripts!,
  };
}

/** Where the last question mark or marker of an instruction ends, in UTF-16 units; 0 without one. */
function lastQuestion(text: string): number {
  let end = Math.max(...['?', '？', '؟'].map((mark) => text.lastIndexOf(mark))) + 1;
  for (const marker of text.matchAll(/\b(?:question|query|instruction|task)s?:|(?:问题|問題|指令)[:：]/giu)) {
    end = Math.max(end, marker.index + marker[0].length);
  }
  return end;
}
