/** A JSON value whose objects are Maps, so that no key (`__proto__`, `constructor`) means anything special. */
export type StrictJson = string | number | boolean | null | StrictJson[] | Map<string, StrictJson>;

/** What a text may hold. */
export interface StrictJsonLimits {
  /** Deepest nesting of arrays and objects. */
  readonly maxDepth: number;
  /** Values in all, of any kind. */
  readonly maxValues: number;
}

/** Why a text was refused. */
export class StrictJsonError extends Error {}

const quote = 0x22;
const backslash = 0x5c;
const numberPattern = /-?(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,4})?/y;

/**
 * RFC 8259 JSON, with duplicate keys refused and depth and size bounded: JSON.parse keeps the last of two equal keys,
 * which lets two readers of one file see two different files. Throws StrictJsonError and nothing else.
 */
export function parseStrictJson(text: string, limits: StrictJsonLimits): StrictJson {
  let at = 0;
  let values = 0;

  const fail = (problem: string): never => {
    throw new StrictJsonError(`${problem} at character ${at}`);
  };
  const skipSpace = (): void => {
    for (; ; at++) {
      const c = text.charCodeAt(at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
    }
  };
  const expect = (token: string): void => {
    if (!text.startsWith(token, at)) fail(`expected ${token}`);
    at += token.length;
  };
  /** True, and past it, when the next character is `token`. */
  const take = (token: string): boolean => {
    skipSpace();
    if (text[at] !== token) return false;
    at++;
    return true;
  };

  const readString = (): string => {
    skipSpace();
    if (text.charCodeAt(at) !== quote) fail('expected a string');
    const start = at;
    let escaped = false;
    for (at++; ; at++) {
      const c = text.charCodeAt(at);
      if (c === quote) break;
      if (c === backslash) {
        escaped = true;
        at++;
      } else if (!(c >= 0x20)) {
        fail('unfinished string'); // a control character, or NaN at the end of the text
      }
    }
    at++;
    if (!escaped) return text.slice(start + 1, at - 1);
    try {
      return JSON.parse(text.slice(start, at)) as string;
    } catch {
      return fail('bad escape before');
    }
  };

  const readNumber = (): number => {
    numberPattern.lastIndex = at;
    const digits = numberPattern.exec(text)?.[0] ?? fail('unexpected character');
    at += digits.length;
    return Number(digits);
  };

  const readValue = (depth: number): StrictJson => {
    if (++values > limits.maxValues) fail(`more than ${limits.maxValues} values`);
    skipSpace();
    const c = text[at];
    if (c === '"') return readString();
    if (c === '{' || c === '[') {
      if (depth >= limits.maxDepth) fail(`nested deeper than ${limits.maxDepth}`);
      at++;
      return c === '{' ? readObject(depth + 1) : readArray(depth + 1);
    }
    if (c === 't') return (expect('true'), true);
    if (c === 'f') return (expect('false'), false);
    if (c === 'n') return (expect('null'), null);
    return readNumber();
  };

  const readObject = (depth: number): Map<string, StrictJson> => {
    const object = new Map<string, StrictJson>();
    if (take('}')) return object;
    do {
      const key = readString();
      if (object.has(key)) fail(`key ${JSON.stringify(key.slice(0, 80))} twice`);
      if (!take(':')) fail('expected :');
      object.set(key, readValue(depth));
    } while (take(','));
    if (!take('}')) fail('expected , or }');
    return object;
  };

  const readArray = (depth: number): StrictJson[] => {
    const array: StrictJson[] = [];
    if (take(']')) return array;
    do array.push(readValue(depth));
    while (take(','));
    if (!take(']')) fail('expected , or ]');
    return array;
  };

  const value = readValue(0);
  skipSpace();
  if (at < text.length) fail('text after the value');
  return value;
}
