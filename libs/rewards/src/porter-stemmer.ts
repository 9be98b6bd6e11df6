// Porter's stemmer with NLTK's extensions, as Python's rouge_score uses it.
// M. F. Porter, An algorithm for suffix stripping, Program 14(3), 1980; the extensions are those of
// nltk.stem.porter.PorterStemmer in its default mode NLTK_EXTENSIONS, and are marked below.

/** [suffix, its replacement, condition on what stands before it (default: measure > 0)]. */
type Rule = readonly [suffix: string, replacement: string, condition?: (stem: string) => boolean];

/** Extension: words that the rules would get wrong. */
const irregular = new Map([
  ['skies', 'sky'],
  ['sky', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
]);

/** The stem of a lower-case word; words of one or two letters are their own. */
export function porterStem(word: string): string {
  const known = irregular.get(word);
  if (known !== undefined) return known;
  if (word.length <= 2) return word;
  return step5b(step5a(step4(step3(step2(step1c(step1b(step1a(word))))))));
}

/** Letters other than a, e, i, o, u are consonants, y only when it does not follow one. */
function isConsonant(word: string, i: number): boolean {
  if (word[i] !== 'y') return !'aeiou'.includes(word[i]!);
  let start = i; // along a run of y the kind alternates
  while (start > 0 && word[start - 1] === 'y') start--;
  const first = start === 0 || !isConsonant(word, start - 1);
  return (i - start) % 2 === 0 ? first : !first;
}

/** m of [C](VC)^m[V]: how often a consonant follows a vowel. Linear, also in a word of a million y. */
function measure(stem: string): number {
  let count = 0;
  let before = false; // whether the letter before is a consonant; none is, before the first
  for (let i = 0; i < stem.length; i++) {
    const consonant: boolean = stem[i] === 'y' ? !before : isConsonant(stem, i);
    if (consonant && !before && i > 0) count++;
    before = consonant;
  }
  return count;
}

const positive = (stem: string) => measure(stem) > 0;
const aboveOne = (stem: string) => measure(stem) > 1;
const always = () => true;

function containsVowel(stem: string): boolean {
  for (let i = 0; i < stem.length; i++) if (!isConsonant(stem, i)) return true;
  return false;
}

function endsDoubleConsonant(word: string): boolean {
  const last = word.length - 1;
  return last >= 1 && word[last] === word[last - 1] && isConsonant(word, last);
}

/** *o: consonant, vowel, consonant other than w, x, y. Extension: also a word that is a vowel and a consonant. */
function endsCvc(word: string): boolean {
  const last = word.length - 1;
  if (last === 1) return !isConsonant(word, 0) && isConsonant(word, 1);
  return (
    last >= 2 &&
    isConsonant(word, last - 2) &&
    !isConsonant(word, last - 1) &&
    isConsonant(word, last) &&
    !'wxy'.includes(word[last]!)
  );
}

/** Applies the first rule whose suffix fits; when its condition fails, no later rule is tried. */
function applyFirst(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, condition = positive] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return condition(stem) ? stem + replacement : word;
  }
  return word;
}

const plurals: readonly Rule[] = [
  ['sses', 'ss', always],
  ['ies', 'i', always],
  ['ss', 'ss', always],
  ['s', '', always],
];

function step1a(word: string): string {
  if (word.length === 4 && word.endsWith('ies')) return word.slice(0, -1); // extension: dies -> die
  return applyFirst(word, plurals);
}

function step1b(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2); // extension: died -> die, spied -> spi
  if (word.endsWith('eed')) return positive(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find((ending) => word.endsWith(ending) && containsVowel(word.slice(0, -ending.length)));
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (['at', 'bl', 'iz'].some((ending) => stem.endsWith(ending))) return `${stem}e`;
  if (endsDoubleConsonant(stem)) return 'lsz'.includes(stem.at(-1)!) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsCvc(stem) ? `${stem}e` : stem;
}

/** Extension: y -> i after a consonant that is not the first letter (happy -> happi, enjoy -> enjoy). */
function step1c(word: string): string {
  return applyFirst(word, [['y', 'i', (stem) => stem.length > 1 && isConsonant(stem, stem.length - 1)]]);
}

const doubleSuffixes: readonly Rule[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'], // extension: abli -> able in the paper
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['fulli', 'ful'], // extension
  ['logi', 'log', (stem) => positive(`${stem}l`)], // extension: the l counts, so that short stems (geo, theo) pass
];

function step2(word: string): string {
  // extension: alli -> al comes first and is followed by this step again
  if (word.endsWith('alli') && positive(word.slice(0, -4))) return step2(word.slice(0, -2));
  return applyFirst(word, doubleSuffixes);
}

const derivedSuffixes: readonly Rule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];

function step3(word: string): string {
  return applyFirst(word, derivedSuffixes);
}

const bareSuffixes: readonly Rule[] = [
  ['al', '', aboveOne],
  ['ance', '', aboveOne],
  ['ence', '', aboveOne],
  ['er', '', aboveOne],
  ['ic', '', aboveOne],
  ['able', '', aboveOne],
  ['ible', '', aboveOne],
  ['ant', '', aboveOne],
  ['ement', '', aboveOne],
  ['ment', '', aboveOne],
  ['ent', '', aboveOne],
  ['ion', '', (stem) => aboveOne(stem) && /[st]$/.test(stem)],
  ['ou', '', aboveOne],
  ['ism', '', aboveOne],
  ['ate', '', aboveOne],
  ['iti', '', aboveOne],
  ['ous', '', aboveOne],
  ['ive', '', aboveOne],
  ['ize', '', aboveOne],
];

function step4(word: string): string {
  return applyFirst(word, bareSuffixes);
}

function step5a(word: string): string {
  if (!word.endsWith('e')) return word;
  const stem = word.slice(0, -1);
  return aboveOne(stem) || (measure(stem) === 1 && !endsCvc(stem)) ? stem : word;
}

function step5b(word: string): string {
  return word.endsWith('ll') && aboveOne(word.slice(0, -1)) ? word.slice(0, -1) : word;
}
