import { exclusiveDevice } from './device.js';
import type { Encoded, EncodeInput, SentenceEncoderInfo, SentenceEncoderOptions } from './text-encoder-types.js';
import type { WorkerResult } from './text-encoder-worker.js';
import { WorkerHost, type WorkerHostOptions } from './worker-host.js';

/** A SentenceEncoder in a worker thread of its own, with a bounded queue in front. */
export class SentenceEncoderHost {
  private lastTableBytes = 0;

  private constructor(private readonly host: WorkerHost<SentenceEncoderInfo>) {}

  static async start(
    options: SentenceEncoderOptions,
    hostOptions: WorkerHostOptions = {},
  ): Promise<SentenceEncoderHost> {
    const entry = new URL('./text-encoder-worker.js', import.meta.url);
    return new SentenceEncoderHost(
      await WorkerHost.start<SentenceEncoderOptions, SentenceEncoderInfo>(entry, options, {
        ...hostOptions,
        exclusive: exclusiveDevice(options.device),
      }),
    );
  }

  get info(): SentenceEncoderInfo {
    return this.host.info;
  }

  /** Bytes of the tables that the model keeps, after its last call. */
  get tableBytes(): number {
    return this.lastTableBytes;
  }

  /** Calls waiting or running. */
  get queueDepth(): number {
    return this.host.queueDepth;
  }

  /** Encodes inputs, order kept; an aborted signal stops the work before the next input. Errors name `inputs[i]`. */
  async encode(inputs: readonly EncodeInput[], signal?: AbortSignal): Promise<Encoded[]> {
    const { encoded, tableBytes }: WorkerResult = await this.host.call('encode', inputs, signal);
    this.lastTableBytes = tableBytes;
    return encoded;
  }

  /** Ends the worker. May be called more than once. */
  dispose(): Promise<void> {
    return this.host.dispose();
  }
}
