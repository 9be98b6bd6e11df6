import type { Tokenizer } from './tokenizer.js';

/** Replacement character: the tail of a text whose last character is not complete yet. */
const incomplete = '\uFFFD';

/**
 * Turns tokens into text as they come. Text is held back while a character is incomplete, and as long as it could be the
 * beginning of a stop string; a stop string and what follows it never leave.
 */
export class TextStream {
  private readonly ids: number[] = [];
  /** Tokens before `read` are out; decoding starts at `prefix`, a few tokens earlier, because spaces depend on neighbours. */
  private prefix = 0;
  private read = 0;
  private held = '';
  /** True once a stop string appeared. */
  stopped = false;

  constructor(
    private readonly tokenizer: Tokenizer | undefined,
    private readonly stop: readonly string[] = [],
  ) {}

  /** Adds a token; returns the text that may leave now. */
  push(token: number): string {
    if (this.tokenizer === undefined || this.stopped) return '';
    this.ids.push(token);
    const before = this.tokenizer.decode(this.ids.slice(this.prefix, this.read));
    const now = this.tokenizer.decode(this.ids.slice(this.prefix));
    if (now.endsWith(incomplete)) return '';
    this.prefix = this.read;
    this.read = this.ids.length;
    return this.release(now.slice(before.length), false);
  }

  /** The rest, when no token follows: incomplete characters included. */
  finish(): string {
    if (this.tokenizer === undefined || this.stopped) return '';
    const before = this.tokenizer.decode(this.ids.slice(this.prefix, this.read));
    return this.release(this.tokenizer.decode(this.ids.slice(this.prefix)).slice(before.length), true);
  }

  private release(text: string, last: boolean): string {
    this.held += text;
    const found = this.stop.map((s) => this.held.indexOf(s)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.stopped = true;
      return this.take(Math.min(...found));
    }
    return this.take(last ? this.held.length : this.held.length - this.possibleStop());
  }

  /** Length of the longest tail that a stop string begins with. */
  private possibleStop(): number {
    let longest = 0;
    for (const s of this.stop) {
      for (let length = Math.min(s.length - 1, this.held.length); length > longest; length--) {
        if (this.held.endsWith(s.slice(0, length))) longest = length;
      }
    }
    return longest;
  }

  private take(length: number): string {
    const out = this.held.slice(0, length);
    this.held = this.held.slice(length);
    return out;
  }
}
