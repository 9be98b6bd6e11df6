import { z } from 'zod';

/** A schema over one scalar that may come as text (flag, environment) or as a JSON value (file). */
function scalar<T>(expected: string, parse: (value: unknown) => T | undefined): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: `must be ${expected}, not ${shown(value)}` });
    return z.NEVER;
  });
}

/** A value as an error tells it: JSON, cut to a length that fits a line. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Inclusive bounds of a number. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

function within({ min = -Infinity, max = Infinity }: Bounds, value: number): boolean {
  return value >= min && value <= max;
}

function inWords(noun: string, { min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return `${noun} from ${min} to ${max}`;
  if (min !== undefined) return `${noun} of at least ${min}`;
  return max === undefined ? noun : `${noun} of at most ${max}`;
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function finite(value: unknown): number | undefined {
  const parsed = typeof value === 'string' && decimal.test(value.trim()) ? Number(value) : value;
  return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : undefined;
}

/** Text; blank text is refused unless `blank` is set. */
export function text(o: { readonly maxLength?: number; readonly blank?: boolean } = {}): z.ZodType<string> {
  const { maxLength = 4096, blank = false } = o;
  return scalar(`${blank ? '' : 'non-blank '}text of at most ${maxLength} characters`, (value) =>
    typeof value === 'string' && value.length <= maxLength && (blank || value.trim() !== '') ? value : undefined,
  );
}

/** A whole number that a double holds exactly. */
export function integer(bounds: Bounds = {}): z.ZodType<number> {
  return scalar(inWords('a whole number', bounds), (value) => {
    const parsed = finite(value);
    return parsed !== undefined && Number.isSafeInteger(parsed) && within(bounds, parsed) ? parsed : undefined;
  });
}

/** A finite number. */
export function number(bounds: Bounds = {}): z.ZodType<number> {
  return scalar(inWords('a number', bounds), (value) => {
    const parsed = finite(value);
    return parsed !== undefined && within(bounds, parsed) ? parsed : undefined;
  });
}

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
};

/** The schema of every boolean option; its identity is how a flag without value is recognised. */
export const boolean: z.ZodType<boolean> = scalar('true or false', (value) => {
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return Object.hasOwn(truths, word) ? truths[word] : undefined;
});

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): z.ZodType<T> {
  return scalar(`one of ${words.join(', ')}`, (value) => words.find((word) => word === value));
}

/** A TCP port; 0 means any free one. */
export const port: z.ZodType<number> = integer({ min: 0, max: 65_535 });

/** Several values; for options with `list: true`. */
export function listOf<T>(item: z.ZodType<T>, { min = 0, max = 1024 }: Bounds = {}): z.ZodType<T[]> {
  return z
    .array(item, { error: 'must be a list' })
    .min(min, { error: `must have at least ${min} values` })
    .max(max, { error: `must have at most ${max} values` });
}
