import { A2sfError } from '@a2sf/errors';
import { Random } from '@a2sf/random';
import { builtInHaystack, type Haystack } from './haystack.js';
import type { PromptRow } from './prompt-row.js';

/** A grid of prompts that hide a needle. */
export interface NeedleGrid {
  /** Longest prompts in characters (UTF-16 code units), at least `minNeedleLength`. */
  readonly lengths: readonly number[];
  /** Where the needle stands in the haystack: 0 is its beginning, 1 its end. */
  readonly depths: readonly number[];
  /** Prompts per length and depth. */
  readonly perCell: number;
  readonly seed: number;
  /** Needles of other names that are hidden beside the one that is asked for. Default 0. */
  readonly distractors?: number;
  /** Default: the built-in sentences. */
  readonly haystack?: Haystack;
}

/** A prompt that hides a needle, and where. */
export interface NeedleRow extends PromptRow {
  readonly length: number;
  readonly depth: number;
}

/** Least length of a prompt: question, needle and a few sentences. */
export const minNeedleLength = 512;
const maxNeedleLength = 4 * 2 ** 20;
const maxRows = 100_000;

const before =
  'A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you about the number afterwards.\n';
const question = (name: string) =>
  `\nWhat is the special magic number for ${name} mentioned in the provided text? The special magic number for ${name} mentioned in the provided text is`;
const needle = (name: string, value: string) => `One of the special magic numbers for ${name} is: ${value}.`;

const colours = ['amber', 'azure', 'coral', 'crimson', 'ivory', 'jade', 'olive', 'scarlet', 'silver', 'violet'];
const animals = ['badger', 'falcon', 'heron', 'lynx', 'marten', 'otter', 'raven', 'salmon', 'tiger', 'walrus'];

/**
 * Prompts after RULER's single needle (Hsieh et al. 2024): a sentence with a seven-digit number stands in a haystack of
 * sentences, and the number is asked for at the end. They are rows of dataset `ruler`, named `needle-<length>-<depth>-<i>`,
 * in the order of lengths, depths, i.
 *
 * The haystack is filled with whole sentences while the prompt stays within its length; the needle stands at the sentence
 * boundary nearest to depth * (characters of the haystack). A cell's prompts depend on the seed, its length and i alone: over the
 * depths the same haystack and needle come again, so that depths are compared on equal terms.
 *
 * Throws INVALID_ARGUMENT naming `lengths`, `depths`, `per_cell`, `distractors` or `haystack` (sentences too long).
 */
export function needleRows(grid: NeedleGrid): NeedleRow[] {
  check(grid);
  const { lengths, depths, perCell, seed, distractors = 0, haystack = builtInHaystack } = grid;
  return lengths.flatMap((length) =>
    depths.flatMap((depth) =>
      Array.from({ length: perCell }, (_, i): NeedleRow => {
        const random = new Random((BigInt(seed) << 32n) ^ (BigInt(length) << 8n) ^ BigInt(i * 0x9e3779b9));
        const { text, answer } = onePrompt(random, length, depth, distractors, haystack);
        const id = `needle-${length}-${depth}-${i}`;
        return { id, dataset: 'ruler', text, answers: [answer], allClasses: [], length, depth };
      }),
    ),
  );
}

function onePrompt(random: Random, length: number, depth: number, distractors: number, haystack: Haystack) {
  const names = random.shuffle(colours.flatMap((colour) => animals.map((animal) => `${colour} ${animal}`)));
  const values = new Set<string>();
  while (values.size <= distractors) values.add(String(1_000_000 + random.below(9_000_000)));
  const [answer, ...others] = values;
  const [name, ...otherNames] = names;
  const hidden = needle(name!, answer!);
  const beside = others.map((value, i) => needle(otherNames[i]!, value));

  let room = length - before.length - question(name!).length - hidden.length;
  for (const sentence of beside) room -= sentence.length + 1;
  const sentences: string[] = [];
  for (const sentence of haystack(random)) {
    if (sentence.length + 1 > room) break;
    sentences.push(sentence);
    room -= sentence.length + 1;
  }
  if (sentences.length === 0) {
    throw A2sfError.invalid(
      'haystack',
      `no sentence of it fits into a prompt of ${length} characters with ${distractors} distractors`,
    );
  }
  for (const sentence of beside) sentences.splice(random.below(sentences.length + 1), 0, sentence);
  sentences.splice(boundaryAt(sentences, depth), 0, hidden);
  return { text: before + sentences.join(' ') + question(name!), answer: answer! };
}

/** The number of sentences whose joined length comes nearest to the share of all of them; the lesser one on ties. */
function boundaryAt(sentences: readonly string[], share: number): number {
  const wanted = share * sentences.reduce((sum, sentence) => sum + sentence.length + 1, 0);
  let passed = 0;
  for (const [i, sentence] of sentences.entries()) {
    const next = passed + sentence.length + 1;
    if (next > wanted) return wanted - passed <= next - wanted ? i : i + 1;
    passed = next;
  }
  return sentences.length;
}

function check({ lengths, depths, perCell, seed, distractors = 0 }: NeedleGrid): void {
  const whole = (field: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most)
      throw A2sfError.invalid(field, `must be a whole number in ${least}..${most}, got ${value}`);
  };
  const different = (field: string, values: readonly number[]) => {
    if (values.length === 0 || new Set(values).size < values.length)
      throw A2sfError.invalid(field, 'must be a list of different numbers that is not empty');
  };
  different('lengths', lengths);
  different('depths', depths);
  for (const length of lengths) whole('lengths', length, minNeedleLength, maxNeedleLength);
  for (const depth of depths)
    if (!(depth >= 0 && depth <= 1)) throw A2sfError.invalid('depths', `must be in 0..1, got ${depth}`);
  whole('per_cell', perCell, 1, maxRows);
  whole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  whole('distractors', distractors, 0, 99);
  if (lengths.length * depths.length * perCell > maxRows)
    throw A2sfError.invalid('per_cell', `makes more than ${maxRows} prompts`);
}
