import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import { briefly, deviceUnavailable, executionProvider } from './device.js';

export type { Tensor } from 'onnxruntime-node';

// onnxruntime-node is a CommonJS package whose named exports Node cannot see.
const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort;

export interface SessionOptions {
  /** Threads of one operator. */
  readonly threads: number;
  /** `cpu` (the default), `webgpu`, `cuda` or `cuda:N`. Operators that the device lacks run on the CPU. */
  readonly device?: string | undefined;
  /** The graph runs once: what follows from its constants is computed in that run, on all threads, not when it is loaded, on one. */
  readonly once?: boolean;
  /** Real folder of the files that the graph's external data points into. */
  readonly weightFolder?: string;
}

export type Feeds = Record<string, Ort.Tensor>;

/**
 * An onnxruntime session over a graph in memory. CPU inputs are read in place; every output is copied, so ask for few. On
 * another device each run copies its inputs there, the cache included, and its outputs back.
 */
export class OnnxSession {
  private released: Promise<void> | undefined;

  private constructor(private readonly session: Ort.InferenceSession) {}

  /**
   * FAILED_PRECONDITION: the graph cannot be loaded on the device.
   * @param graph a model's bytes, or its path: the external data of a model from a path lies beside it.
   */
  static async create(
    graph: Uint8Array | string,
    { threads, device = 'cpu', once = false, weightFolder }: SessionOptions,
  ): Promise<OnnxSession> {
    // Threads that wait spin for 20 us and then sleep: longer spinning gains nothing on cores of one's own (decoding is an
    // eighth faster than without any) and costs a third, with no bound a factor of three, where cores are shared.
    const session = { intra_op: { allow_spinning: '1', spin_duration_us: '20' } };
    const folder = weightFolder === undefined ? {} : { model_external_initializers_file_folder_path: weightFolder };
    const options = {
      executionProviders: [executionProvider(device)],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // No memory is laid out in one block per shape of the inputs: that block comes beside what earlier runs left in the arena,
      // so that requests of many lengths take more and more, and long texts a third more.
      enableMemPattern: false,
      logSeverityLevel: 3,
      extra: { session: { ...session, ...folder }, ...(once ? unfolded : {}) },
    } as const;
    const created =
      typeof graph === 'string'
        ? ort.InferenceSession.create(graph, options)
        : ort.InferenceSession.create(graph, options);
    return new OnnxSession(await (device === 'cpu' ? created : created.catch(onDevice(device))));
  }

  /** Names of the model's inputs. */
  get inputs(): readonly string[] {
    return this.session.inputNames;
  }

  /** Names of the model's outputs. */
  get outputs(): readonly string[] {
    return this.session.outputNames;
  }

  /** Runs the graph and returns the named outputs only. Blocks the thread. */
  async run(feeds: Feeds, outputs: readonly string[]): Promise<Record<string, Ort.Tensor>> {
    return await this.session.run(feeds, outputs as string[]);
  }

  /** Frees the session's memory and threads. May be called more than once. */
  dispose(): Promise<void> {
    this.released ??= this.session.release();
    return this.released;
  }
}

const unfolded = { optimization: { disable_specified_optimizers: 'ConstantFolding' } };

/** Says which device it was that a session could not be made on. */
const onDevice =
  (device: string) =>
  (cause: unknown): never => {
    throw deviceUnavailable(device, briefly(cause), cause);
  };

export const float32 = (data: Float32Array, shape: readonly number[]): Ort.Tensor =>
  new ort.Tensor('float32', data, shape);
export const int64 = (data: readonly number[] | Int32Array | Uint32Array, shape: readonly number[]): Ort.Tensor =>
  new ort.Tensor('int64', BigInt64Array.from(data, BigInt), shape);
export const bool = (value: boolean): Ort.Tensor => new ort.Tensor('bool', [value], []);
