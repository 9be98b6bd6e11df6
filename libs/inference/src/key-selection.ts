import { A2sfError } from '@a2sf/errors';
import { selectKeptPositions, type CompressionPlan } from '@a2sf/kv-compression';
import { GraphBuilder } from '@a2sf/onnx-graph';
import type { CacheShape, KeptPositions } from './kv-cache.js';
import { float32, int64, OnnxSession } from './onnx-session.js';

/** Added to the score of a position that is kept unconditionally: more than any score, which is at most R * n. */
const always = 1e30;

/** A plan and the window that its keys were scored with (an index into the scores); undefined for one without window. */
export interface ScoredPlan {
  readonly plan: CompressionPlan;
  readonly window: number | undefined;
}

/** Windowed scores of a prompt, per layer [G, A, n]. */
export interface WindowScores {
  readonly n: number;
  readonly windows: number;
  readonly layers: readonly Float32Array[];
}

/** Selections that differ, and which of them each plan makes. */
export interface Selections {
  readonly distinct: readonly KeptPositions[];
  readonly choice: readonly number[];
}

/**
 * Picks the keys that stay: per layer and KV head the forced positions and the best-ranked others, ties to the lower
 * position. Plans that rank by the scores themselves are selected by TopK in a graph, so that only positions come out;
 * plans with a ranking of their own by `selectKeptPositions`.
 */
export class KeySelection {
  private constructor(
    private readonly session: OnnxSession,
    private readonly shape: CacheShape,
  ) {}

  static async create(shape: CacheShape, threads: number): Promise<KeySelection> {
    return new KeySelection(await OnnxSession.create(selectionGraph(shape.kvHeads), { threads }), shape);
  }

  /** Selects for every plan (none of them keeps all). DATA_LOSS when the model computed a score that is not a number. */
  async select(scores: WindowScores, plans: readonly ScoredPlan[], checkCancelled: () => void): Promise<Selections> {
    const made = new Map<string, KeptPositions>();
    const keys = plans.map(({ plan, window }, i) =>
      plan.rank === undefined ? `${window} ${plan.kept} ${plan.forced.join()}` : `own ${i}`,
    );
    for (const [i, key] of keys.entries()) {
      if (made.has(key)) continue;
      const { plan } = plans[i]!;
      if (plan.rank !== undefined) {
        made.set(key, this.byRank(scores, plans[i]!));
        continue;
      }
      const alike = [...keys.entries()].filter(([j, other]) => {
        const { plan: it } = plans[j]!;
        const same = it.rank === undefined && it.kept === plan.kept && it.forced.join() === plan.forced.join();
        return same && keys.indexOf(other) === j;
      });
      const windows = alike.map(([j]) => plans[j]!.window!);
      const kept = await this.byScore(scores, windows, plan, checkCancelled);
      alike.forEach(([, other], at) => made.set(other, kept[at]!));
    }
    const distinct: KeptPositions[] = [];
    const indexOf = new Map<string, number>();
    const choice = keys.map((key) => {
      const known = indexOf.get(key);
      if (known !== undefined) return known;
      const kept = made.get(key)!;
      const same = distinct.findIndex((other) => sameKept(other, kept));
      const index = same >= 0 ? same : distinct.push(kept) - 1;
      indexOf.set(key, index);
      return index;
    });
    return { distinct, choice };
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }

  /** Several windows with the same budget and forced positions at once. */
  private async byScore(
    { n, windows, layers }: WindowScores,
    rows: readonly number[],
    { kept, forced }: CompressionPlan,
    checkCancelled: () => void,
  ): Promise<KeptPositions[]> {
    const { kvHeads } = this.shape;
    const bias = new Float32Array(n);
    for (const position of forced) bias[position] = always;
    const selected: Int32Array[][][] = rows.map(() => []);
    for (const [l, layer] of layers.entries()) {
      checkCancelled();
      const result = await this.session.run(
        {
          scores: float32(layer, [kvHeads, windows, n]),
          rows: int64(rows, [rows.length]),
          bias: float32(bias, [n]),
          kept: int64([kept], [1]),
        },
        ['positions', 'total'],
      );
      if (!Number.isFinite((result['total']!.data as Float32Array)[0])) throw notFinite(l);
      const all = result['positions']!.data as Int32Array; // [G, rows, kept]
      rows.forEach((_, row) => {
        selected[row]!.push(
          Array.from({ length: kvHeads }, (__, head) => {
            const at = (head * rows.length + row) * kept;
            return all.slice(at, at + kept).sort();
          }),
        );
      });
    }
    return selected;
  }

  private byRank(scores: WindowScores, { plan, window }: ScoredPlan): KeptPositions {
    const { kvHeads } = this.shape;
    const { n } = scores;
    return scores.layers.map((_, l) => {
      const own = windowScores(scores, l, window, kvHeads);
      if (own.some(Number.isNaN)) throw notFinite(l);
      const ranks = plan.rank!(l, own, kvHeads);
      return Array.from({ length: kvHeads }, (__, head) =>
        selectKeptPositions(ranks.subarray(head * n, (head + 1) * n), n, plan.kept, plan.forced),
      );
    });
  }
}

/** A layer's scores of one window, [G, n]; empty for a plan without window. */
export function windowScores(
  { n, windows, layers }: WindowScores,
  layer: number,
  window: number | undefined,
  kvHeads: number,
): Float32Array {
  if (window === undefined) return new Float32Array(0);
  const own = new Float32Array(kvHeads * n);
  for (let head = 0; head < kvHeads; head++) {
    const from = (head * windows + window) * n;
    own.set(layers[layer]!.subarray(from, from + n), head * n);
  }
  return own;
}

/** positions[g, r, :] = TopK(scores[g, rows[r], :] + bias): the indices of the `kept` largest, unsorted; total = sum of all. */
function selectionGraph(G: number): Uint8Array {
  const g = new GraphBuilder();
  const scores = g.input('scores', 'float32', [G, 'A', 'n']);
  const rows = g.input('rows', 'int64', ['r']);
  const bias = g.input('bias', 'float32', ['n']);
  const kept = g.input('kept', 'int64', [1]);
  const chosen = g.op('Gather', [scores, rows], { axis: 1 });
  const [, positions] = g.ops('TopK', [g.op('Add', [chosen, bias]), kept], 2, { axis: -1, largest: 1, sorted: 0 });
  g.output('positions', g.cast(positions!, 'int32'), 'int32', [G, 'r', 'kept']);
  g.output('total', g.op('ReduceSum', [chosen], { keepdims: 0 }), 'float32', []);
  return g.serialize();
}

/** The error of a model whose attention is not finite. */
export function notFinite(layer: number): A2sfError {
  const message = `the model computed scores that are no numbers in layer ${layer}; its weights may be damaged`;
  return new A2sfError('DATA_LOSS', message, { reason: 'not-finite' });
}

/** True when both keep the same positions everywhere. */
function sameKept(x: KeptPositions, y: KeptPositions): boolean {
  return x.every((layer, l) =>
    layer.every((head, h) => head.length === y[l]![h]!.length && Buffer.compare(bytes(head), bytes(y[l]![h]!)) === 0),
  );
}

const bytes = (positions: Int32Array): Uint8Array =>
  new Uint8Array(positions.buffer, positions.byteOffset, positions.byteLength);
