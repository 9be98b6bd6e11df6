import { Jieba } from '@node-rs/jieba';
import { dict } from '@node-rs/jieba/dict.js';
import { checkLength } from './longest-common-subsequence.js';

/** Longest text that is segmented, in UTF-16 units; it bounds one call to some 20 ms. */
const maxLength = 65_536;

let jieba: Jieba | undefined; // its dictionary takes 0.2 s and some 50 MB, which a server without Chinese texts never pays

/**
 * The words of a text as Python's jieba.cut gives them by default (dictionary and HMM, no overlaps); white space and
 * punctuation are words too. Throws RESOURCE_EXHAUSTED for a text of more than 65,536 UTF-16 units.
 */
export function chineseWords(text: string): string[] {
  checkLength(text.length, maxLength, 'characters');
  jieba ??= Jieba.withDict(dict);
  return jieba.cut(text, true);
}
