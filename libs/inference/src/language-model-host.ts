import { exclusiveDevice } from './device.js';
import type {
  GenerateChunk,
  GenerateInput,
  GenerateResult,
  InspectInput,
  InspectOutput,
  LanguageModelInfo,
  LanguageModelOptions,
  ScoreInput,
  ScoreOutput,
  SweepInput,
  SweepOutput,
} from './language-model-types.js';
import { WorkerHost, type WorkerHostOptions } from './worker-host.js';

/**
 * A LanguageModel in a worker thread of its own: the same calls, with an AbortSignal, and a bounded queue in front. Clients,
 * where calls tell theirs, take turns.
 */
export class LanguageModelHost {
  private constructor(private readonly host: WorkerHost<LanguageModelInfo>) {}

  /** `hostOptions.onStatus` is told the number of slots in use whenever it changes. */
  static async start(options: LanguageModelOptions, hostOptions: WorkerHostOptions = {}): Promise<LanguageModelHost> {
    const entry = new URL('./language-model-worker.js', import.meta.url);
    return new LanguageModelHost(
      await WorkerHost.start<LanguageModelOptions, LanguageModelInfo>(entry, options, {
        ...hostOptions,
        exclusive: exclusiveDevice(options.device),
      }),
    );
  }

  get info(): LanguageModelInfo {
    return this.host.info;
  }

  /** Calls waiting or running. */
  get queueDepth(): number {
    return this.host.queueDepth;
  }

  generate(
    input: GenerateInput,
    onChunk: (chunk: GenerateChunk) => void,
    signal?: AbortSignal,
    client?: string,
  ): Promise<GenerateResult> {
    return this.host.call('generate', input, signal, (event) => onChunk(event as GenerateChunk), client);
  }

  sweep(input: SweepInput, signal?: AbortSignal, client?: string): Promise<SweepOutput> {
    return this.host.call('sweep', input, signal, undefined, client);
  }

  score(input: ScoreInput, signal?: AbortSignal, client?: string): Promise<ScoreOutput> {
    return this.host.call('score', input, signal, undefined, client);
  }

  inspect(input: InspectInput, signal?: AbortSignal, client?: string): Promise<InspectOutput> {
    return this.host.call('inspect', input, signal, undefined, client);
  }

  dispose(): Promise<void> {
    return this.host.dispose();
  }
}
