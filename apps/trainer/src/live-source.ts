import {
  GrpcPeers,
  LivePrompts,
  lookUp,
  PromptMemory,
  promptSetHash,
  readPrompts,
  RewardRule,
  tryActions,
} from '@a2sf/training';
import { dataPath, type TrainerOptions } from './options.js';
import { participantsOf, requireSweepable, spaceOf } from './run-plan.js';
import type { RunSource } from './run-source.js';

/** Prompts that the services encode, decode and score while the run goes. */
export async function liveSource(values: TrainerOptions): Promise<RunSource> {
  requireSweepable(spaceOf(values));
  const { train, evaluation, notes } = await readPrompts({
    path: dataPath(values),
    datasets: values.datasets ?? [],
    evalSamples: values.evalSamples,
    modelName: values.modelName ?? '',
  });
  return {
    values,
    notes,
    sides: {
      train: { size: train.length, hash: promptSetHash(train) },
      evaluation: { size: evaluation.length, hash: promptSetHash(evaluation) },
    },
    async connect(addresses, { calling, metrics, signal }) {
      const count = () => {
        const { known, usable } = peers.generatorCount();
        metrics.countGenerators(known, usable);
      };
      const peers = new GrpcPeers(
        addresses,
        {},
        {
          ...calling,
          onGeneratorFault: (fault) => {
            metrics.onGeneratorFault(fault);
            count();
          },
        },
      );
      try {
        await new RewardRule(values.reward).check(peers, [...train, ...evaluation], signal);
        const participants = participantsOf(await peers.describe(signal));
        count();
        return {
          policy: peers,
          participants,
          parts: (settings, records) => {
            const context = { ...settings, peers };
            const embeddings = records.embeddingsOf(participants.encoderId);
            const memory = new PromptMemory(train, embeddings);
            const held = new PromptMemory(evaluation, embeddings);
            const learnt = new LivePrompts(memory, context, records.trainRewards);
            const isFull = settings.feedback === 'full';
            return Promise.resolve({
              train: learnt,
              settle: isFull ? lookUp(learnt) : tryActions({ ...context, memory }),
              knowsTrainRows: isFull,
              evaluation: new LivePrompts(held, { ...context, streamingLlm: true }, records.evaluationRewards),
              texts: { evaluation: held, peers, generation: settings.generation },
            });
          },
          close: () => peers.close(),
        };
      } catch (error) {
        peers.close();
        throw error;
      }
    },
  };
}
