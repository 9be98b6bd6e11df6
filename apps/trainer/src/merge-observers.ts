import type { TrainingObserver } from '@a2sf/training';

/** Tells several observers, in order. */
export function mergeObservers(...observers: readonly TrainingObserver[]): TrainingObserver {
  return {
    onEvaluationSweep: (...told) => observers.forEach((observer) => observer.onEvaluationSweep?.(...told)),
    onEvaluationReady: (...told) => observers.forEach((observer) => observer.onEvaluationReady?.(...told)),
    onIteration: (...told) => observers.forEach((observer) => observer.onIteration?.(...told)),
    onFailed: (...told) => observers.forEach((observer) => observer.onFailed?.(...told)),
    onEvaluation: (...told) => observers.forEach((observer) => observer.onEvaluation?.(...told)),
    onCheckpoint: (...told) => observers.forEach((observer) => observer.onCheckpoint?.(...told)),
  };
}
