import type { A2sfError } from '@a2sf/errors';
import { damaged, quoted, unsupported } from './file-error.js';
import { PickleBytes } from './pickle-bytes.js';
import { requireTree } from './pickle-tree.js';
import { PickleCall, PickleGlobal, PickleObject, PickleReference, type PickleValue } from './pickle-value.js';

/** What a pickle may hold beyond plain data. */
export interface PickleOptions {
  /** Name of the file in errors. */
  readonly file: string;
  /** Functions, `module.name`, whose calls are recorded; a call of any other is refused. */
  readonly calls: ReadonlySet<string>;
}

/** Longest pickle. That of a state dict takes some 150 bytes a tensor; the tensors lie outside of it. */
export const maxPickleBytes = 16 * 1024 * 1024;
const maxOpcodes = 1_000_000;
const maxProtocol = 5;

/** Modules whose very name in a checkpoint is an attack: nothing in them is data. */
const refusedModules: ReadonlySet<string> = new Set(
  'builtins __builtin__ os posix nt subprocess sys importlib runpy pty socket shutil code codeop ctypes'.split(' '),
);

/**
 * Reads a pickle of protocol 0 to 5 as plain data. Nothing it names is ever loaded or called: instances are kept as
 * {@link PickleObject}, calls of `calls` as {@link PickleCall}, `collections.OrderedDict` is a Map. Depth, opcodes and
 * bytes are bounded; a container that holds itself is refused.
 *
 * @throws A2sfError FAILED_PRECONDITION, reason `pickle-runs-code`, naming the function, when it asks for any other call;
 * DATA_LOSS when it is broken or over a limit. Nothing else is thrown.
 */
export function readPickle(bytes: Uint8Array, options: PickleOptions): PickleValue {
  const { file } = options;
  if (bytes.byteLength > maxPickleBytes) {
    throw damaged(file, `a pickle of ${bytes.byteLength} bytes is over the limit of ${maxPickleBytes}`);
  }
  const value = new Machine(new PickleBytes(bytes, (problem) => damaged(file, `pickle: ${problem}`)), options).run();
  requireTree(value, file);
  return value;
}

const mark = Symbol('mark');
type StackItem = PickleValue | typeof mark;

/** The stack machine of the format: opcodes push, pop and combine plain values. */
class Machine {
  readonly #in: PickleBytes;
  readonly #options: PickleOptions;
  readonly #stack: StackItem[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(input: PickleBytes, options: PickleOptions) {
    this.#in = input;
    this.#options = options;
  }

  run(): PickleValue {
    for (let count = 0; count < maxOpcodes; count++) {
      const opcode = String.fromCharCode(this.#in.uint(1));
      if (opcode === '.') return this.#pop();
      this.#step(opcode);
    }
    throw this.#in.fail(`more than ${maxOpcodes} opcodes`);
  }

  #step(opcode: string): void {
    const input = this.#in;
    switch (opcode) {
      // Framing
      case '\x80': {
        const protocol = input.uint(1);
        if (protocol > maxProtocol) throw input.fail(`protocol ${protocol} is not known`);
        return;
      }
      case '\x95': // FRAME
        return input.requireLeft(input.length(8));

      // Numbers and constants
      case 'N':
        return this.#push(null);
      case '\x88':
        return this.#push(true);
      case '\x89':
        return this.#push(false);
      case 'I': {
        const line = input.line();
        return this.#push(line === '01' ? true : line === '00' ? false : input.decimal(line));
      }
      case 'L':
        return this.#push(input.decimal(input.line().replace(/L$/, '')));
      case 'J':
        return this.#push(input.int32());
      case 'K':
        return this.#push(input.uint(1));
      case 'M':
        return this.#push(input.uint(2));
      case '\x8a':
        return this.#push(input.integer(input.length(1)));
      case '\x8b':
        return this.#push(input.integer(input.length(4)));
      case 'F':
        return this.#push(input.floatLine());
      case 'G':
        return this.#push(input.float64());

      // Text and bytes
      case 'S':
        return this.#push(input.quotedLine());
      case 'T':
        return this.#push(input.latin1(input.length(4)));
      case 'U':
        return this.#push(input.latin1(input.length(1)));
      case 'V':
        return this.#push(input.unicodeLine());
      case 'X':
        return this.#push(input.utf8(input.length(4)));
      case '\x8c':
        return this.#push(input.utf8(input.length(1)));
      case '\x8d':
        return this.#push(input.utf8(input.length(8)));
      case 'B':
        return this.#push(input.bytes(input.length(4)));
      case 'C':
        return this.#push(input.bytes(input.length(1)));
      case '\x8e':
      case '\x96':
        return this.#push(input.bytes(input.length(8)));

      // Tuples, lists, dicts
      case ')':
        return this.#push(Object.freeze([]));
      case '\x85':
      case '\x86':
      case '\x87':
        return this.#push(Object.freeze(this.#popMany(opcode.charCodeAt(0) - 0x84)));
      case 't':
        return this.#push(Object.freeze(this.#popMark()));
      case ']':
        return this.#push([]);
      case 'l':
        return this.#push(this.#popMark());
      case 'a':
        return this.#append([this.#pop()]);
      case 'e':
        return this.#append(this.#popMark());
      case '}':
        return this.#push(new Map());
      case 'd': {
        const pairs = this.#popMark();
        this.#push(new Map());
        return this.#setItems(pairs);
      }
      case 's':
        return this.#setItems(this.#popMany(2));
      case 'u':
        return this.#setItems(this.#popMark());

      // The stack and the memo
      case '(':
        this.#stack.push(mark);
        return;
      case '0':
        if (this.#stack.pop() === undefined) throw input.fail('takes from an empty stack');
        return;
      case '1':
        this.#popMark();
        return;
      case '2':
        return this.#push(this.#top());
      case 'p':
        return this.#remember(input.index(input.line()));
      case 'q':
        return this.#remember(input.uint(1));
      case 'r':
        return this.#remember(input.uint(4));
      case '\x94':
        return this.#remember(this.#memo.size);
      case 'g':
        return this.#recall(input.index(input.line()));
      case 'h':
        return this.#recall(input.uint(1));
      case 'j':
        return this.#recall(input.uint(4));

      // What would be code
      case 'c':
        return this.#push(this.#global(input.line(), input.line()));
      case '\x93': {
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string') throw input.fail('names a class by no text');
        return this.#push(this.#global(module, name));
      }
      case 'R': {
        const [called, args] = this.#popMany(2);
        return this.#push(this.#call(called!, args!));
      }
      case 'i': {
        const called = this.#global(input.line(), input.line());
        return this.#push(this.#call(called, this.#popMark()));
      }
      case 'o': {
        const [called = null, ...args] = this.#popMark();
        return this.#push(this.#call(called, args));
      }
      case '\x81': {
        const [type, args] = this.#popMany(2);
        return this.#push(this.#instance(type!, args!));
      }
      case '\x92': {
        const [type, args, named] = this.#popMany(3);
        if (!(named instanceof Map) || named.size > 0) throw input.fail('makes an instance from named values');
        return this.#push(this.#instance(type!, args!));
      }
      case 'b':
        return this.#build(this.#pop());
      case 'P':
        return this.#push(new PickleReference(input.line()));
      case 'Q':
        return this.#push(new PickleReference(this.#pop()));

      default:
        throw input.fail(`opcode 0x${opcode.charCodeAt(0).toString(16).padStart(2, '0')} is not one of plain data`);
    }
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === mark) throw this.#in.fail('takes from an empty stack');
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  /** The last `count` values, in the order they were pushed. */
  #popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  /** The values above the last mark, which goes with them. */
  #popMark(): PickleValue[] {
    const values: PickleValue[] = [];
    for (let item = this.#stack.pop(); item !== mark; item = this.#stack.pop()) {
      if (item === undefined) throw this.#in.fail('takes from an empty stack');
      values.push(item);
    }
    return values.reverse();
  }

  #append(values: readonly PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list) || Object.isFrozen(list)) throw this.#in.fail('appends to what is no list');
    for (const value of values) (list as PickleValue[]).push(value);
  }

  #setItems(pairs: readonly PickleValue[]): void {
    const map = this.#top();
    if (!(map instanceof Map) || pairs.length % 2 !== 0) throw this.#in.fail('sets items of what is no dict');
    for (let i = 0; i < pairs.length; i += 2) this.#setItem(map, pairs[i]!, pairs[i + 1]!);
  }

  #setItem(map: Map<PickleValue, PickleValue>, key: PickleValue, value: PickleValue): void {
    if (key instanceof Map || (Array.isArray(key) && !Object.isFrozen(key)))
      throw this.#in.fail('a key is no constant');
    if (map.has(key)) throw this.#in.fail(`key ${typeof key === 'string' ? quoted(key) : 'of a dict'} is there twice`);
    map.set(key, value);
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#in.fail(`memo ${index} holds nothing`);
    this.#push(value);
  }

  #global(module: string, name: string): PickleGlobal {
    const full = `${module}.${name}`;
    if (refusedModules.has(module.split('.')[0]!)) throw this.#code(full);
    return new PickleGlobal(full);
  }

  /** What a call is worth; only those of plain data are, and none is made. */
  #call(called: PickleValue, args: PickleValue): PickleValue {
    if (!Array.isArray(args)) throw this.#in.fail('calls with what is no tuple');
    if (!(called instanceof PickleGlobal)) throw this.#in.fail('calls what is no function');
    if (called.name === 'collections.OrderedDict') return this.#orderedDict(args);
    if (!this.#options.calls.has(called.name)) throw this.#code(called.name);
    return new PickleCall(called.name, args);
  }

  /** `OrderedDict()` or, of old writers, `OrderedDict([[key, value], ...])`. */
  #orderedDict(args: readonly PickleValue[]): Map<PickleValue, PickleValue> {
    const map = new Map<PickleValue, PickleValue>();
    const pairs = args[0] ?? [];
    if (args.length > 1 || !Array.isArray(pairs)) throw this.#in.fail('makes an OrderedDict from what is no list');
    for (const pair of pairs as readonly PickleValue[]) {
      if (!Array.isArray(pair) || pair.length !== 2) throw this.#in.fail('makes an OrderedDict from what are no pairs');
      this.#setItem(map, pair[0] as PickleValue, pair[1] as PickleValue);
    }
    return map;
  }

  #instance(type: PickleValue, args: PickleValue): PickleObject {
    if (!(type instanceof PickleGlobal) || !Array.isArray(args)) throw this.#in.fail('makes an instance of no class');
    return new PickleObject(type.name, args);
  }

  /** Sets the state of an instance. The attributes of a dict are dropped: it is plain data here. */
  #build(state: PickleValue): void {
    const target = this.#top();
    if (target instanceof Map) return;
    if (!(target instanceof PickleObject)) throw this.#in.fail('sets the state of what is no instance');
    target.state = state;
  }

  #code(name: string): A2sfError {
    const problem = `pickle: it names ${quoted(name)}, which is code and not data; it is not read`;
    return unsupported(this.#options.file, problem, 'pickle-runs-code');
  }
}
