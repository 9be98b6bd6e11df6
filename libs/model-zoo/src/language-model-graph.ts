import {
  GraphBuilder,
  type Dimension,
  type ElementType,
  type Scope,
  type Subgraph,
  type Value,
} from '@a2sf/onnx-graph';
import { decodeAttention } from './decode-attention.js';
import { DecoderGraph, type LayerAttention } from './decoder-graph.js';
import type { LanguageModelShape } from './language-model.js';
import type { ModelWeights } from './model-weights.js';
import { prefillAttention, prefillChunk } from './prefill-attention.js';

/** A family's layers, from the tokens to the logits of the wanted rows [R, V]. */
export type Layers = (decoder: DecoderGraph) => Value;

/**
 * The whole graph of a language model as ONNX bytes: inputs and outputs of LanguageModelFamily around a family's layers.
 * @param loop adds the input `steps`, with which one run decodes several tokens.
 */
export function languageModelGraph(
  shape: LanguageModelShape,
  weights: ModelWeights,
  layers: Layers,
  { loop = false }: { readonly loop?: boolean } = {},
): Uint8Array {
  const g = new GraphBuilder();
  const inputs = declareInputs(g, shape);
  const declared = outputs(shape);
  const once = (scope: Scope): Value[] => oneRun(scope, inputs, shape, weights, layers);
  let values: Value[];
  if (loop) {
    const steps = g.input('steps', 'int64', []);
    const branch =
      (fill: (scope: Subgraph) => Value[]) =>
      (scope: Subgraph): void =>
        fill(scope).forEach((value, i) => scope.result(value, declared[i]!.type, declared[i]!.dims));
    values = g.branch(
      g.op('Greater', [steps, g.int(0)]),
      declared.length,
      branch((scope) => decodeLoop(scope, steps, inputs, shape, weights, layers)),
      branch(once),
    );
  } else values = once(g);
  declared.forEach(({ name, type, dims }, i) => g.output(name, values[i]!, type, dims));
  return g.serialize();
}

interface Inputs {
  readonly ids: Value;
  readonly positions: Value;
  readonly decode: Value;
  readonly pastLength: Value;
  readonly mask: Value;
  readonly windows: Value;
  readonly logitRows: Value;
  readonly targets: Value;
  readonly past: readonly { readonly pastKey: Value; readonly pastValue: Value }[];
}

function declareInputs(g: GraphBuilder, { layers, kvHeads: G, headDim: D }: LanguageModelShape): Inputs {
  return {
    ids: g.input('ids', 'int64', ['B', 'S']),
    positions: g.input('positions', 'int64', ['B', 'S']),
    decode: g.input('decode', 'bool', []),
    pastLength: g.input('past_length', 'int64', [1]),
    mask: g.input('mask', 'float32', ['M', 'K']),
    windows: g.input('windows', 'float32', ['A', 'W']),
    logitRows: g.input('logit_rows', 'int64', ['R']),
    targets: g.input('targets', 'int64', ['L']),
    past: Array.from({ length: layers }, (_, layer) => ({
      pastKey: g.input(`past_key.${layer}`, 'float32', ['B', G, 'P', D]),
      pastValue: g.input(`past_value.${layer}`, 'float32', ['B', G, 'P', D]),
    })),
  };
}

interface Output {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly Dimension[];
}

/** The outputs of the graph, in the order that `oneRun` and `decodeLoop` give their values in. */
function outputs({ layers, kvHeads: G, headDim: D, vocab }: LanguageModelShape): Output[] {
  const perLayer = Array.from({ length: layers }, (_, layer): Output[] => [
    { name: `key.${layer}`, type: 'float32', dims: ['B', G, 'fresh', D] },
    { name: `value.${layer}`, type: 'float32', dims: ['B', G, 'fresh', D] },
    { name: `scores.${layer}`, type: 'float32', dims: [G, 'A', 'T'] },
  ]);
  return [
    { name: 'next', type: 'int64', dims: ['next'] },
    { name: 'logits', type: 'float32', dims: ['R', vocab] },
    { name: 'log_probs', type: 'float32', dims: ['L'] },
    ...perLayer.flat(),
  ];
}

const headsOf = ({ heads, kvHeads: G, headDim: D }: LanguageModelShape): { G: number; R: number; D: number } => ({
  G,
  R: heads / G, // query heads of a KV head
  D,
});

const noFloats = (g: Scope, shape: readonly number[]): Value => g.floats(new Float32Array(0), shape);

/** The most probable token of each row, the lowest id on ties: [R]. */
const mostProbable = (g: Scope, logits: Value): Value => g.op('ArgMax', [logits], { axis: -1, keepdims: 0 });

/** A chunk of a prompt with its windowed scores, or S new tokens in each of B rows; `decode` says which. */
function oneRun(
  g: Scope,
  { ids, positions, decode, pastLength, mask, windows, logitRows, targets, past }: Inputs,
  shape: LanguageModelShape,
  weights: ModelWeights,
  layers: Layers,
): Value[] {
  const heads = headsOf(shape);
  const causal = causalMask(g, ids); // [S, S]
  const length = g.op('Shape', [ids], { start: 1, end: 2 });
  const chunk = prefillChunk(g, length, { pastLength, mask, windows });
  const made: Value[] = [];
  const attention: LayerAttention = (layer, tokens) => {
    const all = { ...tokens, ...past[layer]!, mask };
    const [mixed, scores] = g.branch(
      decode,
      2,
      (branch) => {
        branch.result(decodeAttention(branch, { ...all, causal }, heads), 'float32', ['B', heads.G, 'RS', heads.D]);
        branch.result(noFloats(branch, [heads.G, 0, 0]), 'float32', [heads.G, 'A', 'T']);
      },
      (branch) => prefillAttention(branch, all, chunk, heads),
    ) as [Value, Value];
    made.push(tokens.key, tokens.value, scores);
    return mixed;
  };
  const logits = layers(new DecoderGraph(g, { ids, positions, logitRows }, shape, weights, attention));
  return [mostProbable(g, logits), logits, logProbs(g, logits, targets), ...made];
}

/**
 * Greedy decoding of `steps` tokens a row in one run: a device takes over the cache once for all of them. Keys that are
 * newer than the cache are carried from turn to turn; they come out together, as the keys of S = steps new tokens. `next`
 * is [steps * B], step by step.
 */
function decodeLoop(
  g: Scope,
  steps: Value,
  { ids, positions, mask, past }: Inputs,
  shape: LanguageModelShape,
  weights: ModelWeights,
  layers: Layers,
): Value[] {
  const heads = headsOf(shape);
  const { G, D } = heads;
  const rows = g.op('Shape', [ids], { start: 0, end: 1 });
  const none = g.op('ConstantOfShape', [g.op('Concat', [rows, g.ints(G, 0, D)], { axis: 0 })]); // [B, G, 0, D] of float32
  const newKeys = past.flatMap(() => [none, none]);
  const token = { type: 'int64', dims: ['B', 1] } as const;
  const carried = [
    { first: ids, ...token },
    { first: positions, ...token },
    ...newKeys.map((first) => ({ first, type: 'float32', dims: ['B', G, 'J', D] }) as const),
  ];
  const out = g.loop(steps, carried, [{ type: 'int64', dims: ['B'] }], (body, [id, position, ...newer]) => {
    const grown: Value[] = [];
    const attention: LayerAttention = (layer, { query, ...own }) => {
      const upTo = (before: Value, now: Value): Value => body.op('Concat', [before, now], { axis: 2 });
      const [key, value] = [upTo(newer[2 * layer]!, own.key), upTo(newer[2 * layer + 1]!, own.value)];
      grown.push(key, value);
      return decodeAttention(body, { query, key, value, ...past[layer]!, mask, causal: undefined }, heads);
    };
    const inputs = { ids: id!, positions: position!, logitRows: undefined };
    const next = mostProbable(body, layers(new DecoderGraph(body, inputs, shape, weights, attention)));
    const advanced = body.op('Add', [position!, body.int(1)]);
    return { carried: [body.op('Unsqueeze', [next, body.ints(1)]), advanced, ...grown], values: [next] };
  });
  const keys = out.slice(2, -1);
  const perLayer = past.flatMap((_, layer) => [keys[2 * layer]!, keys[2 * layer + 1]!, noFloats(g, [G, 0, 0])]);
  const next = g.op('Reshape', [out.at(-1)!, g.ints(-1)]);
  return [next, noFloats(g, [0, shape.vocab]), noFloats(g, [0]), ...perLayer];
}

/** [S, S]: 0 where the key is not behind the query, a large negative number elsewhere. */
function causalMask(g: Scope, ids: Value): Value {
  const size = g.op('Squeeze', [g.op('Shape', [ids], { start: 1, end: 2 })]);
  const range = g.op('Range', [g.int(0), size, g.int(1)]);
  const ahead = g.op('Greater', [g.op('Unsqueeze', [range, g.ints(0)]), g.op('Unsqueeze', [range, g.ints(1)])]);
  return g.op('Where', [ahead, g.scalar(-1e30), g.scalar(0)]);
}

/** ln softmax(logits)[row, target of the row]: [R], or nothing where no targets are given. */
function logProbs(g: Scope, logits: Value, targets: Value): Value {
  const given = g.op('Greater', [g.op('Size', [targets]), g.int(0)]);
  const score = (branch: Subgraph): void => {
    const column = branch.op('Unsqueeze', [targets, branch.ints(-1)]);
    const chosen = branch.op('Squeeze', [branch.op('GatherElements', [logits, column], { axis: 1 }), branch.ints(-1)]);
    const total = branch.op('ReduceLogSumExp', [logits, branch.ints(-1)], { keepdims: 0 });
    branch.result(branch.op('Sub', [chosen, total]), 'float32', ['L']);
  };
  const nothing = (branch: Subgraph): void => branch.result(noFloats(branch, [0]), 'float32', ['L']);
  return g.branch(given, 1, score, nothing)[0]!;
}
