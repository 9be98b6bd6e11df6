import { damagedState, type StateReader, type StateTensor } from '../policy-state.js';
import type { MatrixSteps } from './matrix-steps.js';

/** Steps as `step_actions` [n] and `step_vectors` [n, h], the bits of double-precision numbers as whole ones. */
export function stepTensors(steps: readonly MatrixSteps[], width: number): [string, StateTensor][] {
  const actions = steps.flatMap((each) => each.actions);
  const vectors = new Float64Array(actions.length * width);
  for (const [i, w] of steps.flatMap((each) => each.vectors).entries()) vectors.set(w, i * width);
  return [
    ['step_actions', { shape: [actions.length], data: BigInt64Array.from(actions, BigInt) }],
    ['step_vectors', { shape: [actions.length, width], data: new BigInt64Array(vectors.buffer) }],
  ];
}

/** The reverse. Throws DATA_LOSS. */
export function readSteps(reader: StateReader, space: number, width: number): MatrixSteps {
  const { data } = reader.tensor('step_actions');
  const actions = Array.from(data, Number);
  const bad = actions.find((action) => !(action >= -1 && action < space));
  if (bad !== undefined) throw damagedState('step_actions', `holds ${bad}`);
  const { data: bits } = reader.tensor('step_vectors');
  if (!(bits instanceof BigInt64Array) || bits.length !== actions.length * width) {
    throw damagedState('step_vectors', `does not hold ${actions.length} vectors of ${width}`);
  }
  const all = new Float64Array(bits.slice().buffer);
  if (!all.every(Number.isFinite)) throw damagedState('step_vectors', 'holds a number that is not finite');
  return { actions, vectors: actions.map((_, i) => all.subarray(i * width, (i + 1) * width)) };
}
