import type { Resolved } from '@a2sf/config';
import type { Logger } from '@a2sf/observability';
import { DecisionLog } from '@a2sf/run-store';
import { defaultServing, type Serving } from './choosing.js';
import { DecisionRecorder } from './decision-recorder.js';
import type { PolicyMetrics } from './metrics.js';
import type { options } from './options.js';

/** How a server answers choices, whatever its role. */
export interface ServingParts {
  readonly serving: Serving;
  /** Share of the decisions that a challenger is asked about. */
  readonly shadowShare: number;
  /** Undefined: decisions are not logged. */
  readonly decisions: DecisionRecorder | undefined;
  /** Writes what is left of the decision log. Safe to call twice. */
  close(): Promise<void>;
}

type ServingOptions = Pick<
  Resolved<typeof options>,
  'epsilon' | 'boundBeta' | 'qualityFloor' | 'shadowShare' | 'decisionLog' | 'decisionLogBytes' | 'decisionLogFiles'
>;

/** A server that explores as it is told, has no floor and logs nothing. */
export const plainServing: ServingParts = {
  serving: defaultServing,
  shadowShare: 0,
  decisions: undefined,
  close: async () => undefined,
};

const warnEveryMs = 10_000;

/** The parts that the flags ask for. Throws FAILED_PRECONDITION when the decision log cannot be written. */
export async function openServing(
  { epsilon, boundBeta, qualityFloor, shadowShare, decisionLog, decisionLogBytes, decisionLogFiles }: ServingOptions,
  metrics: Pick<PolicyMetrics, 'observeDropped'>,
  log: Logger,
): Promise<ServingParts> {
  const parts = { serving: { epsilon, boundBeta, qualityFloor }, shadowShare };
  if (decisionLog === undefined) return { ...plainServing, ...parts };
  let warned = -Infinity;
  const file = await DecisionLog.open(decisionLog, {
    maxBytes: decisionLogBytes,
    files: decisionLogFiles,
    onDropped: (lines, problem) => {
      metrics.observeDropped(lines);
      if (performance.now() - warned < warnEveryMs) return;
      warned = performance.now();
      log.warn({ problem }, 'decisions are not logged; a2sf_policy_decisions_dropped_total counts them');
    },
  });
  return { ...parts, decisions: new DecisionRecorder(file, boundBeta), close: () => file.close() };
}
