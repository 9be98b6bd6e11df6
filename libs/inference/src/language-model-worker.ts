import type {
  GenerateInput,
  InspectInput,
  LanguageModelOptions,
  ScoreInput,
  SweepInput,
} from './language-model-types.js';
import { LanguageModel } from './language-model.js';
import { serveWorker, type WorkerCall } from './worker-server.js';

serveWorker(async (options: LanguageModelOptions, publish) => {
  const model = await LanguageModel.load(options, publish);
  return {
    info: model.info,
    concurrent: true,
    methods: {
      generate: (input: GenerateInput, call: WorkerCall) => model.generate(input, call.emit, call),
      sweep: (input: SweepInput, call: WorkerCall) => model.sweep(input, call),
      score: (input: ScoreInput, call: WorkerCall) => model.score(input, call),
      inspect: (input: InspectInput, call: WorkerCall) => model.inspect(input, call),
    },
  };
});
