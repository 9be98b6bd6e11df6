/** The kinds of tasks by which results are told, spelled as the reference's data spells its groups. */
export const tasks = [
  'Single-doc QA',
  'Multi-doc QA',
  'Summarization',
  'Few Shot',
  'Passage Retrieval',
  'Code Complete',
] as const;
export type Task = (typeof tasks)[number];

const datasetsOf: Readonly<Record<Task, readonly string[]>> = {
  'Single-doc QA': ['narrativeqa', 'qasper', 'multifieldqa_en', 'multifieldqa_zh', 'tiny_qa_single'],
  'Multi-doc QA': ['hotpotqa', '2wikimqa', 'musique', 'dureader', 'tiny_qa_multi'],
  Summarization: ['gov_report', 'qmsum', 'multi_news', 'vcsum', 'tiny_summary'],
  'Few Shot': ['trec', 'triviaqa', 'samsum', 'lsht', 'tiny_fewshot'],
  'Passage Retrieval': ['passage_count', 'passage_retrieval_en', 'passage_retrieval_zh', 'ruler', 'tiny_retrieval'],
  'Code Complete': ['lcc', 'repobench-p', 'tiny_code'],
};

const taskOfDataset: ReadonlyMap<string, Task> = new Map(
  tasks.flatMap((task) => datasetsOf[task].map((dataset): [string, Task] => [dataset, task])),
);

/** The task of a dataset, undefined for one that is not known: LongBench's own table, its Chinese datasets among them. */
export function taskOf(dataset: string): Task | undefined {
  return taskOfDataset.get(dataset);
}
