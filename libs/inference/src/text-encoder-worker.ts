import type { Encoded, EncodeInput, SentenceEncoderOptions } from './text-encoder-types.js';
import { SentenceEncoder } from './text-encoder.js';
import { serveWorker, type WorkerCall } from './worker-server.js';

export interface WorkerResult {
  readonly encoded: Encoded[];
  /** Bytes of the tables that are kept. */
  readonly tableBytes: number;
}

serveWorker(async (options: SentenceEncoderOptions) => {
  const encoder = await SentenceEncoder.load(options);
  return {
    info: encoder.info,
    methods: {
      async encode(inputs: readonly EncodeInput[], call: WorkerCall): Promise<WorkerResult> {
        const encoded = await encoder.encodeAll(inputs, call.checkCancelled);
        return { encoded, tableBytes: encoder.tableBytes };
      },
    },
  };
});
