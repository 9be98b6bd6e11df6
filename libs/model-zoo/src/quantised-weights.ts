import type { ElementType, Scope, Value } from '@a2sf/onnx-graph';
import { openWeightFile, type DType } from '@a2sf/tensor-files';
import { ModelWeights } from './model-weights.js';
import { blockSize, matrixBits, quantisedShapes, type WeightFormat } from './quantisation.js';
import { quantisedFile, type PlannedMatrix, type PlannedTensors } from './quantised-file.js';

/**
 * The weights of a model with its linear layers quantised: all tensors of the graph in one file, which is made by the
 * first load and found again by later ones. A matrix that is also an embedding (a tied head) is there in both forms.
 * @param build asks the weights it is given for every tensor of the graph.
 */
export function quantisedWeights(
  folder: string,
  stored: ModelWeights,
  format: Exclude<WeightFormat, 'float32'>,
  build: (weights: ModelWeights) => unknown,
): ModelWeights {
  const plan = new PlannedWeights(stored, format);
  build(plan);
  const path = quantisedFile(folder, stored, plan, format);
  return new QuantisedWeights(path, plan.matrices);
}

/** Passes every request on to the stored weights, which check it, and notes it. */
class PlannedWeights extends ModelWeights implements PlannedTensors {
  readonly plain = new Map<string, readonly number[]>();
  readonly matrices = new Map<string, PlannedMatrix>();

  constructor(
    private readonly stored: ModelWeights,
    private readonly format: Exclude<WeightFormat, 'float32'>,
  ) {
    super(stored.index, stored.prefixes);
  }

  override add(graph: Scope, name: string, shape: readonly number[]): Value {
    this.plain.set(name, shape);
    return super.add(graph, name, shape);
  }

  override product(graph: Scope, x: Value, name: string, shape: readonly [number, number]): Value {
    this.matrices.set(name, { shape, bits: matrixBits(name, this.format) });
    return graph.op('Gemm', [x, this.stored.add(graph, name, shape)], { transB: 1 });
  }
}

/** 4: the rows of x are rounded to 8 bits too, block by block, and multiplied as integers. */
const accuracyLevel = 4;

const blockTypes: Partial<Record<DType, ElementType>> = { U8: 'uint8' };

/** Weights whose matrices are quantised: their products are onnxruntime's MatMulNBits, which multiplies them as they are. */
class QuantisedWeights extends ModelWeights {
  constructor(
    path: string,
    private readonly matrices: ReadonlyMap<string, PlannedMatrix>,
  ) {
    super(openWeightFile(path));
  }

  override product(graph: Scope, x: Value, name: string, shape: readonly [number, number], bias?: Value): Value {
    const [output, input] = shape;
    const matrix = this.matrices.get(name);
    if (matrix === undefined) throw this.damaged(name, 'was not asked for when the file was planned');
    const { bits } = matrix;
    const shapes = quantisedShapes(shape, bits);
    const part = (kind: 'blocks' | 'zeros'): Value => {
      this.place(graph, `${name}.${kind}`, shapes[kind], blockTypes);
      return `${name}.${kind}` as Value; // as it is stored: what `place` returns may be a cast of it
    };
    const parts = [part('blocks'), this.add(graph, `${name}.scales`, shapes.scales), part('zeros')];
    const attributes = { K: input, N: output, bits, block_size: blockSize, accuracy_level: accuracyLevel };
    const y = graph.contrib('MatMulNBits', [x, ...parts], attributes);
    return bias === undefined ? y : graph.op('Add', [y, bias]);
  }
}
