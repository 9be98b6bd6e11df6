import type { Dataset } from './dataset.js';

/** The look-up tasks that the embedded tiny models were trained on (models/tiny-a2sf/data). */
export const embeddedDatasets: readonly Dataset[] = [
  {
    name: 'tiny_qa_single',
    template: 'Read the notes and answer with the full name.\n{context}\n{input}\nAnswer:',
    maxNewTokens: 16,
  },
  {
    name: 'tiny_qa_multi',
    template: 'Read the notes and answer with the full names.\n{context}\n{input}\nAnswer:',
    maxNewTokens: 16,
  },
  {
    name: 'tiny_retrieval',
    template: 'Here are some paragraphs with their numbers.\n{context}\n{input}\nAnswer:',
    maxNewTokens: 16,
  },
  {
    name: 'tiny_fewshot',
    template: 'Here are some examples of words and their classes.\n{context}\n{input}\nAnswer:',
    maxNewTokens: 16,
  },
  {
    name: 'tiny_summary',
    template: 'You are given the points of a report.\n{context}\n{input}\nAnswer:',
    maxNewTokens: 16,
  },
  {
    name: 'tiny_code',
    template: 'Please read the program given below.\n{context}\n{input}\nAnswer:',
    maxNewTokens: 16,
  },
];
