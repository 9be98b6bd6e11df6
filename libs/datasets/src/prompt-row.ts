import { fillTemplate } from './dataset.js';
import { datasetNames, findDataset } from './datasets.js';

/** One prompt of a data file. */
export interface PromptRow {
  /** The row's own id, or `<file>:<line>` when it has none; unique in its file. */
  readonly id: string;
  readonly dataset: string;
  /** The whole prompt: the dataset's template filled, neither cut nor wrapped. */
  readonly text: string;
  /** The accepted answers; empty when the data set has none, which leaves the rewards that compare with the full cache. */
  readonly answers: readonly string[];
  /** The classes to choose from; empty unless the row names some. */
  readonly allClasses: readonly string[];
}

/** A value of a row that is not what its schema says. */
export interface RowProblem {
  readonly field: string;
  readonly problem: string;
}

/**
 * Reads one row. The schema shows in its fields:
 * LongBench `{input, context, answers, dataset, all_classes?, _id?}`, RULER `{index, input, outputs}` (dataset `ruler`),
 * or a finished prompt, this suite's own schema: `{prompt, dataset, id?, answers?, all_classes?}`, where `text` may stand
 * for `prompt` and `_id` for `id`. Other fields are ignored.
 * Gives every problem there is instead of a row that is not sound.
 */
export function readRow(value: unknown, defaultId: string): PromptRow | readonly RowProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ field: 'row', problem: 'must be a JSON object' }];
  }
  const fields = new Fields(value);
  const row = fields.has('outputs')
    ? rulerRow(fields, defaultId)
    : isFinished(fields)
      ? finishedRow(fields, defaultId)
      : longBenchRow(fields, defaultId);
  return fields.problems.length > 0 ? fields.problems : row;
}

/** A row as this suite writes it: readRow gives the same row back. */
export function writeRow({ id, dataset, text, answers, allClasses }: PromptRow): object {
  return { id, dataset, prompt: text, answers, ...(allClasses.length === 0 ? {} : { all_classes: allClasses }) };
}

function isFinished(fields: Fields): boolean {
  if (fields.has('prompt')) return true;
  return !fields.has('context') && !fields.has('input') && (fields.has('text') || fields.has('id'));
}

function longBenchRow(fields: Fields, defaultId: string): PromptRow {
  const input = fields.text('input');
  const context = fields.text('context');
  const name = fields.text('dataset');
  const dataset = findDataset(name);
  if (!dataset && name !== '') {
    fields.report(
      'dataset',
      `${JSON.stringify(name.slice(0, 60))} has no template, known are ${datasetNames.join(', ')}`,
    );
  }
  return {
    id: fields.id('_id') ?? defaultId,
    dataset: name,
    text: dataset ? fillTemplate(dataset.template, { context, input }) : '',
    answers: fields.texts('answers'),
    allClasses: fields.texts('all_classes', 'optional'),
  };
}

function rulerRow(fields: Fields, defaultId: string): PromptRow {
  return {
    id: fields.id('index') ?? defaultId,
    dataset: 'ruler',
    text: fields.text('input'),
    answers: fields.texts('outputs'),
    allClasses: [],
  };
}

function finishedRow(fields: Fields, defaultId: string): PromptRow {
  if (fields.has('prompt') && fields.has('text')) fields.report('text', 'stands beside prompt, give one of them');
  return {
    id: fields.id(fields.has('id') ? 'id' : '_id') ?? defaultId,
    dataset: fields.text('dataset'),
    text: fields.text(fields.has('text') ? 'text' : 'prompt'),
    answers: fields.texts('answers', 'optional'),
    allClasses: fields.texts('all_classes', 'optional'),
  };
}

/** Reads fields and collects what is wrong with them. */
class Fields {
  readonly problems: RowProblem[] = [];
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(row: object) {
    this.#values = new Map(Object.entries(row));
  }

  has(field: string): boolean {
    return this.#values.has(field);
  }

  report(field: string, problem: string): void {
    this.problems.push({ field, problem });
  }

  text(field: string): string {
    const value = this.#values.get(field);
    if (typeof value === 'string') return value;
    this.report(field, value === undefined ? 'is missing' : 'must be a string');
    return '';
  }

  texts(field: string, presence: 'required' | 'optional' = 'required'): string[] {
    const value = this.#values.get(field) ?? undefined; // null means absent
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
    if (value !== undefined) this.report(field, 'must be a list of strings');
    else if (presence === 'required') this.report(field, 'is missing');
    return [];
  }

  id(field: string): string | undefined {
    const value = this.#values.get(field) ?? undefined;
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
    this.report(field, 'must be a string that is not empty, or a whole number');
    return undefined;
  }
}
