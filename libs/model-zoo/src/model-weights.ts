import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import type { ElementType, GraphBuilder, Value } from '@a2sf/onnx-graph';
import { openWeights, toFloat32, type DType, type WeightIndex } from '@a2sf/tensor-files';

const graphTypes: Partial<Record<DType, ElementType>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/**
 * The weights of a model folder: named tensors that a graph points into. All files must lie in one real folder, the
 * only one onnxruntime may read from.
 */
export class ModelWeights {
  /** The real folder of the weight files, links resolved. */
  readonly folder: string;
  private readonly index: WeightIndex;

  constructor(
    folder: string,
    private readonly prefixes: readonly string[] = [''],
  ) {
    this.index = openWeights(folder);
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
  add(graph: GraphBuilder, name: string, shape: readonly number[]): Value {
    const { file, tensor } = this.checked(name, shape);
    const type = graphTypes[tensor.dtype];
    if (type === undefined) throw this.damaged(name, `is ${tensor.dtype}, must be F32, F16 or BF16`);
    return graph.weight(name, {
      type,
      shape,
      location: basename(realpathSync(file.path)),
      offset: tensor.offset,
      byteLength: tensor.byteLength,
    });
  }

  /** Reads a tensor's numbers, checking its shape: for small tensors that are needed outside the graph. */
  read(name: string, shape: readonly number[]): Float32Array {
    const { file, tensor } = this.checked(name, shape);
    return toFloat32(file.read(tensor.name), tensor.dtype);
  }

  private checked(name: string, shape: readonly number[]) {
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

  private damaged(name: string, problem: string): A2sfError {
    const files = this.index.files.map((file) => basename(file.path)).join(', ');
    return new A2sfError('DATA_LOSS', `${files}: tensor ${name} ${problem}`, {
      field: name,
      reason: 'bad-model-weights',
    });
  }
}
