import { bagF1 } from './bag-f1.js';
import { chineseWords } from './chinese-words.js';
import { textMetric, type Metric } from './metric.js';
import { pythonWords } from './python-text.js';

/** string.punctuation and LongBench's list, which holds 》 but not 《. */
const punctuation =
  /[!-/:-@[-`{-~！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏]/gu;

/**
 * LongBench's qa_f1_zh_score: F1 over the bags of jieba's words of both texts, lower case, without punctuation and white
 * space. Throws RESOURCE_EXHAUSTED for a text of more than 65,536 UTF-16 units.
 */
export const qaF1Zh: Metric = textMetric('qa_f1_zh', 'task', (prediction, reference) =>
  bagF1(normalisedWords(prediction), normalisedWords(reference)),
);

function normalisedWords(text: string): string[] {
  return chineseWords(text)
    .map((word) => pythonWords(word.toLowerCase().replace(punctuation, '')).join(''))
    .filter((word) => word !== '');
}
