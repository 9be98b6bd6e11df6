import type { StageTimes } from '@a2sf/inference';
import { recordSpan, type SpanAttributes } from '@a2sf/observability';

const names = ['prefill', 'selection', 'decode'] as const;

/** Notes the stages of an answer that has just come as spans of its call. */
export function recordStages(stages: StageTimes, attributes: Readonly<Record<keyof StageTimes, SpanAttributes>>): void {
  const now = Date.now();
  for (const name of names) {
    const { from, to } = stages[name];
    recordSpan(name, now - from, now - to, attributes[name]);
  }
}
