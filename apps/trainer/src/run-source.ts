import type { ClientSecurity } from '@a2sf/grpc-runtime';
import type {
  PeerAddresses,
  PeerPatience,
  PolicyPeer,
  RunFolder,
  TrainingContext,
  TrainingSettings,
} from '@a2sf/training';
import { liveSource } from './live-source.js';
import type { TrainerOptions } from './options.js';
import type { Participants, Sides } from './run-plan.js';
import type { TextSource } from './run-report.js';
import { storeSource } from './store-source.js';
import type { TrainerMetrics } from './trainer-metrics.js';

/** What a run learns from, before any service is asked: prompts to put to generators, or rows that were stored. */
export interface RunSource {
  /** The flags, with what the source decides in the place of their defaults. */
  readonly values: TrainerOptions;
  readonly sides: Sides;
  /** What was left out and why, for people. */
  readonly notes: readonly string[];
  /** Asks the services who they are and whether they can do what is wanted. */
  connect(addresses: PeerAddresses, how: Connecting): Promise<ConnectedSource>;
}

/** How a source calls services. */
export interface Connecting {
  readonly calling: PeerPatience & { readonly security: ClientSecurity };
  readonly metrics: TrainerMetrics;
  readonly signal: AbortSignal;
}

/** A source whose services are there. */
export interface ConnectedSource {
  readonly policy: PolicyPeer;
  readonly participants: Participants;
  /** The parts of a run that depend on where its numbers come from. */
  parts(settings: TrainingSettings, records: RunFolder): Promise<RunParts>;
  close(): void;
}

/** What `train` is given by the source of a run. */
export interface RunParts extends Pick<TrainingContext, 'train' | 'evaluation' | 'settle' | 'knowsTrainRows'> {
  /** What the report's texts are made with; absent where no generator is there. */
  readonly texts?: Omit<TextSource, 'signal'>;
}

/** Reads what a run learns from. Throws INVALID_ARGUMENT naming the flag or the rows. */
export function readSource(values: TrainerOptions): Promise<RunSource> {
  return values.fromStore === undefined ? liveSource(values) : storeSource(values, values.fromStore);
}
