import { modelProto } from './onnx-schema.js';

/** Element types by ONNX's TensorProto.DataType numbers. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;
export type ElementType = keyof typeof elementTypes;

/** A named tensor of a graph. */
export type Value = string & { readonly __brand: 'Value' };

/** A size, or the name of one that is known only when the graph runs. */
export type Dimension = number | string;

/** Attribute values; `{ float }` tells a float from an integer. */
export type Attribute = number | string | readonly number[] | { readonly float: number } | { readonly graph: Subgraph };
export type Attributes = Readonly<Record<string, Attribute>>;

/** Where the bytes of a weight lie: a file beside the model, by byte offset and length. */
export interface ExternalTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly location: string;
  readonly offset: number;
  readonly byteLength: number;
}

interface NodeMessage {
  opType: string;
  domain: string;
  name: string;
  input: string[];
  output: string[];
  attribute: object[];
}

/** Operator sets in use: ONNX 18 and onnxruntime's contrib operators. */
const opsets = [
  { domain: '', version: 18 },
  { domain: 'com.microsoft', version: 1 },
];

function valueInfo(name: string, type: ElementType, dims: readonly Dimension[]): object {
  const dim = dims.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d }));
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } };
}

function attributeMessage(name: string, value: Attribute): object {
  if (typeof value === 'number') return { name, i: value, type: 2 };
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: 3 };
  if ('float' in value) return { name, f: value.float, type: 1 };
  if ('graph' in value) return { name, g: value.graph.message(), type: 5 };
  return { name, ints: [...value], type: 7 };
}

/** Numbers names so that a graph and its subgraphs never share one. */
class NameCounter {
  private next = 0;
  fresh(hint: string): Value {
    return `${hint}_${this.next++}` as Value;
  }
}

/** What a loop carries from turn to turn: its first value, its type and its sizes (a name where they change). */
export interface Carried {
  readonly first: Value;
  readonly type: ElementType;
  readonly dims: readonly Dimension[];
}

/** A value of every turn of a loop: all of them together are [turns, ...dims]. */
export interface Stacked {
  readonly type: ElementType;
  readonly dims: readonly Dimension[];
}

/** A value whose elements along its first axis a scan goes through: [elements, ...dims]. */
export interface Sliced {
  readonly of: Value;
  readonly type: ElementType;
  readonly dims: readonly Dimension[];
}

/**
 * Nodes, constants and outputs in the making. A subgraph (a branch of `If`, the body of a `Loop`) may use every value of
 * the graph around it.
 */
export abstract class Scope {
  protected readonly nodes: NodeMessage[] = [];
  protected readonly initializers: object[] = [];
  protected readonly outputs: object[] = [];
  private readonly constants = new Map<string, Value>();

  constructor(protected readonly names: NameCounter) {}

  /** A weight that stays in its file, whichever subgraph uses it; half-precision weights are cast to float32 (folded when the model is loaded). */
  abstract weight(name: string, tensor: ExternalTensor): Value;

  /** Adds a node with one output. */
  op(opType: string, inputs: readonly Value[], attributes: Attributes = {}, domain = ''): Value {
    return this.ops(opType, inputs, 1, attributes, domain)[0]!;
  }

  /** Adds a node with several outputs. */
  ops(opType: string, inputs: readonly Value[], outputs: number, attributes: Attributes = {}, domain = ''): Value[] {
    const output = Array.from({ length: outputs }, () => this.names.fresh(opType));
    this.nodes.push({
      opType,
      domain,
      name: output[0]!,
      input: [...inputs],
      output,
      attribute: Object.entries(attributes).map(([name, value]) => attributeMessage(name, value)),
    });
    return output;
  }

  /** An operator of onnxruntime's own domain. */
  contrib(opType: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.op(opType, inputs, attributes, 'com.microsoft');
  }

  /** The value in another element type. */
  cast(value: Value, type: ElementType): Value {
    return this.op('Cast', [value], { to: elementTypes[type] });
  }

  /** A constant vector of 64-bit integers (shapes, axes); equal ones are shared. */
  ints(...values: number[]): Value {
    return this.constant(`i${values.join(',')}`, 'int64', [values.length], new BigInt64Array(values.map(BigInt)));
  }

  /** A constant 64-bit integer scalar. */
  int(value: number): Value {
    return this.constant(`s${value}`, 'int64', [], new BigInt64Array([BigInt(value)]));
  }

  /** A constant scalar. */
  scalar(value: number): Value {
    return this.constant(`f${value}`, 'float32', [], new Float32Array([value]));
  }

  /** A constant tensor, stored in the graph itself: for small tables only, weights stay in their files. */
  floats(values: Float32Array, shape: readonly number[]): Value {
    return this.constant(undefined, 'float32', shape, values);
  }

  private constant(
    key: string | undefined,
    type: ElementType,
    shape: readonly number[],
    values: Float32Array | BigInt64Array,
  ): Value {
    const known = key === undefined ? undefined : this.constants.get(key);
    if (known !== undefined) return known;
    const name = this.names.fresh('constant');
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.initializers.push({ name, dims: [...shape], dataType: elementTypes[type], rawData });
    if (key !== undefined) this.constants.set(key, name);
    return name;
  }

  /**
   * `condition ? then : otherwise`, computed when the graph runs; only the taken branch costs anything. Both branches
   * declare the same number of results, of equal types.
   */
  branch(condition: Value, results: number, then: (g: Subgraph) => void, otherwise: (g: Subgraph) => void): Value[] {
    const build = (fill: (g: Subgraph) => void): { graph: Subgraph } => {
      const graph = new Subgraph(this.names, this);
      fill(graph);
      return { graph };
    };
    return this.ops('If', [condition], results, { then_branch: build(then), else_branch: build(otherwise) });
  }

  /**
   * Runs `body` so many times, each turn with what the one before gives on.
   * @param turns [] int64
   * @param body given what is carried; gives it on, and the values of this turn.
   * @returns what is carried after the last turn, then the stacked values.
   */
  loop(
    turns: Value,
    carried: readonly Carried[],
    stacked: readonly Stacked[],
    body: (
      g: Subgraph,
      carried: readonly Value[],
    ) => { readonly carried: readonly Value[]; readonly values: readonly Value[] },
  ): Value[] {
    const graph = new Subgraph(this.names, this);
    graph.input('turn', 'int64', []);
    const goOn = graph.input('go_on', 'bool', []);
    const given = carried.map(({ type, dims }) => graph.input('carried', type, dims));
    const made = body(graph, given);
    graph.result(goOn, 'bool', []);
    carried.forEach(({ type, dims }, i) => graph.result(made.carried[i]!, type, dims));
    stacked.forEach(({ type, dims }, i) => graph.result(made.values[i]!, type, dims));
    const always = '' as Value;
    const inputs = [turns, always, ...carried.map(({ first }) => first)];
    return this.ops('Loop', inputs, carried.length + stacked.length, { body: { graph } });
  }

  /**
   * Runs `body` for each element of the slices' first axis, in order, which must be as long in all of them. Slices are
   * read where they lie, and what is stacked is written where it stays.
   * @returns what is carried after the last element, then the stacked values.
   */
  scan(
    carried: readonly Carried[],
    slices: readonly Sliced[],
    stacked: readonly Stacked[],
    body: (
      g: Subgraph,
      carried: readonly Value[],
      slices: readonly Value[],
    ) => { readonly carried: readonly Value[]; readonly values: readonly Value[] },
  ): Value[] {
    const graph = new Subgraph(this.names, this);
    const given = carried.map(({ type, dims }) => graph.input('carried', type, dims));
    const elements = slices.map(({ type, dims }) => graph.input('slice', type, dims));
    const made = body(graph, given, elements);
    carried.forEach(({ type, dims }, i) => graph.result(made.carried[i]!, type, dims));
    stacked.forEach(({ type, dims }, i) => graph.result(made.values[i]!, type, dims));
    const inputs = [...carried.map(({ first }) => first), ...slices.map(({ of }) => of)];
    const attributes = { body: { graph }, num_scan_inputs: slices.length };
    return this.ops('Scan', inputs, carried.length + stacked.length, attributes);
  }

  /** Names a value as an output; an Identity node gives it exactly this name. */
  protected addOutput(name: string, value: Value, type: ElementType, dims: readonly Dimension[]): void {
    this.nodes.push({
      opType: 'Identity',
      domain: '',
      name: `output_${name}`,
      input: [value],
      output: [name],
      attribute: [],
    });
    this.outputs.push(valueInfo(name, type, dims));
  }

  protected graphMessage(name: string, inputs: object[]): object {
    return { name, node: this.nodes, initializer: this.initializers, input: inputs, output: this.outputs };
  }
}

/** One branch of an `If`, or the body of a `Loop`. */
export class Subgraph extends Scope {
  private readonly inputs: object[] = [];

  constructor(
    names: NameCounter,
    private readonly around: Scope,
  ) {
    super(names);
  }

  override weight(name: string, tensor: ExternalTensor): Value {
    return this.around.weight(name, tensor);
  }

  /** Declares the next input: only the body of a loop has any. */
  input(hint: string, type: ElementType, dims: readonly Dimension[]): Value {
    const name = this.names.fresh(hint);
    this.inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares the next result of the branch. */
  result(value: Value, type: ElementType, dims: readonly Dimension[]): void {
    this.addOutput(this.names.fresh('result'), value, type, dims);
  }

  message(): object {
    return this.graphMessage('subgraph', this.inputs);
  }
}

/** Builds one ONNX model. Weights are external data: the graph points into their files and copies nothing. */
export class GraphBuilder extends Scope {
  private readonly inputs: object[] = [];
  private readonly weights = new Map<string, Value>();

  constructor() {
    super(new NameCounter());
  }

  /** Declares an input of the model. */
  input(name: string, type: ElementType, dims: readonly Dimension[]): Value {
    this.inputs.push(valueInfo(name, type, dims));
    return name as Value;
  }

  /** Declares an output of the model. */
  output(name: string, value: Value, type: ElementType, dims: readonly Dimension[]): void {
    this.addOutput(name, value, type, dims);
  }

  override weight(name: string, tensor: ExternalTensor): Value {
    const known = this.weights.get(name);
    if (known !== undefined) return known;
    this.initializers.push({
      name,
      dims: [...tensor.shape],
      dataType: elementTypes[tensor.type],
      dataLocation: 1,
      externalData: [
        { key: 'location', value: tensor.location },
        { key: 'offset', value: String(tensor.offset) },
        { key: 'length', value: String(tensor.byteLength) },
      ],
    });
    const half = tensor.type === 'float16' || tensor.type === 'bfloat16';
    const value = half ? this.cast(name as Value, 'float32') : (name as Value);
    this.weights.set(name, value);
    return value;
  }

  /** The model as ONNX bytes. */
  serialize(): Uint8Array {
    const graph = this.graphMessage('a2sf', this.inputs);
    return modelProto
      .encode(modelProto.create({ irVersion: 10, producerName: 'a2sf', opsetImport: opsets, graph }))
      .finish();
  }
}
