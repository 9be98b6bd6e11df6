import { CST, isScalar, Lexer, LineCounter, parseDocument, visit } from 'yaml';

/** A file of every option of a command, with comments, is a tenth of these. */
const maxBytes = 64 * 1024;
const maxTokens = 10_000;
/** Values are scalars and lists of them, which need one level. */
const maxNesting = 4;
const maxIndentation = 32;

/** Tokens of what makes a small text large or means something else than it says. */
const refused: Readonly<Record<string, string>> = {
  alias: 'aliases are not allowed',
  anchor: 'anchors are not allowed',
  tag: 'tags are not allowed',
  'directive-line': 'directives are not allowed',
};

const opening: ReadonlySet<string> = new Set(['flow-seq-start', 'flow-map-start']);
const closing: ReadonlySet<string> = new Set(['flow-seq-end', 'flow-map-end']);
/** Tokens that begin a level in a block. */
const levels: ReadonlySet<string> = new Set(['seq-item-ind', 'explicit-key-ind', 'map-value-ind']);
/** What the lexer says between the tokens of the text. */
const marks: ReadonlySet<string> = new Set(['doc-mode', 'flow-error-end', 'scalar']);

/**
 * The value of a YAML 1.2 document (core schema), for configuration files. Throws an Error naming line and column for what
 * is no YAML, for a repeated key, and for aliases, anchors, tags, directives, a second document and deep nesting. The
 * tokens are looked at first: the parser behind them recurses, and takes quadratic time for many keys.
 */
export function parseYaml(text: string): unknown {
  if (Buffer.byteLength(text) > maxBytes) throw new Error(`the limit for YAML is ${maxBytes} bytes`);
  checkTokens(text);
  const lines = new LineCounter();
  const options = { prettyErrors: false, uniqueKeys: true, stringKeys: true, lineCounter: lines } as const;
  const document = parseDocument(text, options);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw at(line, col, problem.message);
  }
  visit(document, {
    Scalar(_key, { value, range }) {
      if (typeof value !== 'number' || Number.isFinite(value)) return;
      const { line, col } = lines.linePos(range?.[0] ?? 0);
      throw at(line, col, `${value} is no number that is allowed`);
    },
  });
  return isScalar(document.contents) ? document.contents.value : (document.toJS() as unknown);
}

function checkTokens(text: string): void {
  let [line, column, count, nesting, indicators, documents] = [1, 1, 0, 0, 0, 0];
  let isContent = false;
  for (const token of new Lexer().lex(text)) {
    const type: string = isContent ? 'content' : (CST.tokenType(token) ?? '');
    isContent = type === 'scalar'; // that token only says what the next one is
    if (marks.has(type)) continue;
    const why = refused[type];
    if (why !== undefined) throw at(line, column, why);
    if (++count > maxTokens) throw at(line, column, `over ${maxTokens} tokens`);
    if (opening.has(type)) nesting++;
    if (closing.has(type)) nesting--;
    if (type === 'newline') indicators = 0;
    if (nesting === 0 && levels.has(type)) indicators++;
    const indented = column === 1 && type === 'space' && token.length > maxIndentation;
    if (indented || nesting > maxNesting || indicators > maxNesting) throw at(line, column, 'nested too deep');
    if (type === 'doc-start' && ++documents > 1) throw at(line, column, 'a second document is not allowed');
    const breaks = token.split('\n');
    line += breaks.length - 1;
    column = (breaks.length > 1 ? 1 : column) + breaks.at(-1)!.length;
  }
}

function at(line: number, column: number, problem: string): Error {
  return new Error(`line ${line}, column ${column}: ${problem}`);
}
