import { damaged } from './file-error.js';
import { childrenOf, type PickleValue } from './pickle-value.js';

/** Deepest nesting; state dicts take some 6. Below it a reader may recurse. */
const maxDepth = 64;

/** A container that is being walked, and the greatest depth below it so far. */
interface Frame {
  readonly value: PickleValue;
  readonly children: readonly PickleValue[];
  next: number;
  depth: number;
}

/**
 * Throws DATA_LOSS unless the value is nested at most 64 deep and nothing in it holds itself. Each container is walked
 * once, however often it is shared.
 */
export function requireTree(root: PickleValue, file: string): void {
  const done = new Map<PickleValue, number>(); // by finished container: how deep it is
  const open = new Set<PickleValue>();
  const path: Frame[] = [];
  const enter = (value: PickleValue): void => {
    if (typeof value !== 'object' || value === null) return;
    const known = done.get(value);
    if (known !== undefined) return deepen(known);
    if (open.has(value)) throw damaged(file, 'pickle: something in it holds itself');
    open.add(value);
    path.push({ value, children: childrenOf(value), next: 0, depth: 1 });
    if (path.length > maxDepth) throw damaged(file, `pickle: nested deeper than ${maxDepth}`);
  };
  const deepen = (depth: number): void => {
    const parent = path.at(-1);
    if (parent !== undefined) parent.depth = Math.max(parent.depth, depth + 1);
    if (path.length + depth > maxDepth) throw damaged(file, `pickle: nested deeper than ${maxDepth}`);
  };
  enter(root);
  for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
    if (frame.next < frame.children.length) {
      enter(frame.children[frame.next++]!);
      continue;
    }
    path.pop();
    open.delete(frame.value);
    done.set(frame.value, frame.depth);
    deepen(frame.depth);
  }
}
