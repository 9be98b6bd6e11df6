import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import type { ElementType, Scope, Value } from '@a2sf/onnx-graph';
import {
  openWeights,
  toFloat32,
  type DType,
  type TensorInfo,
  type WeightFile,
  type WeightIndex,
} from '@a2sf/tensor-files';

const graphTypes: Partial<Record<DType, ElementType>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/**
 * The weights of a model folder: named tensors that a graph points into. All files must lie in one real folder, the
 * only one onnxruntime may read from.
 */
export class ModelWeights {
  /** The real folder of the weight files, links resolved. */
  readonly folder: string;
  readonly index: WeightIndex;

  /** @param source the model's folder, or its files already opened. */
  constructor(
    source: string | WeightIndex,
    readonly prefixes: readonly string[] = [''],
  ) {
    this.index = typeof source === 'string' ? openWeights(source) : source;
    const folders = new Set(this.index.files.map((file) => dirname(realpathSync(file.path))));
    if (folders.size !== 1) {
      throw new A2sfError(
        'FAILED_PRECONDITION',
        'the weight files of a model must lie in one folder after links are resolved',
        {
          field: 'model_name',
          reason: 'weights-in-several-folders',
        },
      );
    }
    this.folder = [...folders][0]!;
  }

  /** Paths of the weight files. */
  get files(): readonly string[] {
    return this.index.files.map((file) => file.path);
  }

  has(name: string): boolean {
    return this.lookup(name) !== undefined;
  }

  /** Adds the tensor to the graph as external data, checking its shape. */
  add(graph: Scope, name: string, shape: readonly number[]): Value {
    return this.place(graph, name, shape, graphTypes);
  }

  /**
   * x [N, input] W' (+ bias) -> [N, output] for a stored W [output, input]; Gemm reads it transposed, so no copy of it is
   * made.
   */
  product(graph: Scope, x: Value, name: string, shape: readonly [number, number], bias?: Value): Value {
    const weight = this.add(graph, name, shape);
    return graph.op('Gemm', bias === undefined ? [x, weight] : [x, weight, bias], { transB: 1 });
  }

  /** Reads a tensor's numbers, checking its shape: for small tensors that are needed outside the graph. */
  read(name: string, shape: readonly number[]): Float32Array {
    const { file, tensor } = this.checked(name, shape);
    return toFloat32(file.read(tensor.name), tensor.dtype);
  }

  /** A tensor of one of `types` as external data: as it is stored, but halves become single precision. */
  protected place(
    graph: Scope,
    name: string,
    shape: readonly number[],
    types: Partial<Record<DType, ElementType>>,
  ): Value {
    const { file, tensor } = this.checked(name, shape);
    const type = types[tensor.dtype];
    if (type === undefined) throw this.damaged(name, `is ${tensor.dtype}, must be ${Object.keys(types).join(' or ')}`);
    return graph.weight(name, {
      type,
      shape,
      location: basename(realpathSync(file.path)),
      offset: tensor.offset,
      byteLength: tensor.byteLength,
    });
  }

  /** Where a tensor lies; DATA_LOSS when it is missing or has another shape. */
  checked(name: string, shape: readonly number[]): { readonly file: WeightFile; readonly tensor: TensorInfo } {
    const found = this.lookup(name);
    if (found === undefined) throw this.damaged(name, 'is missing');
    const actual = found.tensor.shape;
    if (actual.length !== shape.length || actual.some((size, i) => size !== shape[i])) {
      throw this.damaged(name, `has shape [${actual.join(', ')}], config.json asks for [${shape.join(', ')}]`);
    }
    return found;
  }

  private lookup(name: string) {
    for (const prefix of this.prefixes) {
      const found = this.index.find(prefix + name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  damaged(name: string, problem: string): A2sfError {
    const files = this.index.files.map((file) => basename(file.path)).join(', ');
    return new A2sfError('DATA_LOSS', `${files}: tensor ${name} ${problem}`, {
      field: name,
      reason: 'bad-model-weights',
    });
  }
}
