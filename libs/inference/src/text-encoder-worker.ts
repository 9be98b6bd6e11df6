import type { EncodeInput, SentenceEncoderOptions } from './text-encoder-types.js';
import { SentenceEncoder } from './text-encoder.js';
import { serveWorker, type WorkerCall } from './worker-server.js';

serveWorker(async (options: SentenceEncoderOptions) => {
  const encoder = await SentenceEncoder.load(options);
  return {
    info: encoder.info,
    methods: {
      encode: (inputs: readonly EncodeInput[], call: WorkerCall) => encoder.encodeAll(inputs, call.checkCancelled),
    },
  };
});
