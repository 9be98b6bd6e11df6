import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeSafetensors, type Tensor } from '@a2sf/tensor-files';

const [d, intermediate, order, width, blocks, vocab, layers] = [8, 16, 4, 5, 4, 16, 2];
const frequency = 10;

type Matrix = readonly (readonly number[])[];
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A small M2-BERT of random numbers, and its naive twin: direct sums in float64, a row after the other. */
export class M2BertTwin {
  private readonly tensors = new Map<string, Tensor>();
  private readonly values = new Map<string, Float32Array>();

  /** @param random numbers of [0, 1). */
  constructor(
    private readonly positions: number,
    private readonly random: () => number,
  ) {
    this.add('embeddings.word_embeddings.weight', [vocab, d], 1);
    this.add('embeddings.token_type_embeddings.weight', [2, d], 1);
    this.add('embeddings.position_embeddings.weight', [positions, d], 1);
    this.norm('embeddings.LayerNorm');
    for (let layer = 0; layer < layers; layer++) {
      const at = `encoder.layer.${layer}`;
      this.linear(`${at}.attention.in_linear`, 3 * d, d);
      this.linear(`${at}.attention.out_linear`, d, d);
      this.add(`${at}.attention.short_filter.weight`, [3 * d, 1, 3], 1);
      this.add(`${at}.attention.short_filter.bias`, [3 * d], 0.5);
      for (const which of ['filter_fn', 'filter_fn2']) this.filter(`${at}.attention.${which}`);
      this.add(`${at}.mlp.gated_layers.weight`, [blocks, (2 * intermediate) / blocks, d / blocks], 1);
      this.add(`${at}.mlp.wo.weight`, [blocks, d / blocks, intermediate / blocks], 1);
      this.add(`${at}.mlp.wo.bias`, [d], 0.5);
      this.norm(`${at}.mlp.layernorm`);
    }
  }

  write(folder: string): void {
    const config = {
      hidden_act: 'gelu',
      layer_norm_eps: 1e-12,
      type_vocab_size: 2,
      vocab_size: vocab,
      hidden_size: d,
      num_hidden_layers: layers,
      intermediate_size: intermediate,
      max_position_embeddings: this.positions,
      long_conv_l_max: this.positions,
      hyena_filter_order: order,
      hyena_emb_dim: width,
      hyena_w_mod: 1,
      monarch_mixer_sequence_mixing: true,
      hyena_training_additions: false,
      bidirectional: true,
      residual_long_conv: true,
      use_glu_mlp: true,
      use_monarch_mlp: true,
      monarch_mlp_nblocks: blocks,
      use_positional_encodings: true,
      pool_all: false,
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(this.tensors));
  }

  /** Random token ids. */
  ids(length: number): number[] {
    return range(length).map(() => Math.floor(this.random() * vocab));
  }

  /** The last hidden states, [L, d], by the formulas of the fixture's ARCHITECTURE.md. */
  hiddenStates(ids: readonly number[]): number[] {
    const word = this.rows('embeddings.word_embeddings.weight', d);
    const place = this.rows('embeddings.position_embeddings.weight', d);
    const type = this.rows('embeddings.token_type_embeddings.weight', d)[0]!;
    let x: Matrix = ids.map((id, i) =>
      this.normed(
        range(d).map((c) => word[id]![c]! + type[c]! + place[i]![c]!),
        'embeddings.LayerNorm',
      ),
    );
    for (let layer = 0; layer < layers; layer++) x = this.layer(x, `encoder.layer.${layer}`);
    return x.flat();
  }

  private layer(x: Matrix, at: string): Matrix {
    const p = x.map((row) => this.projected(row, `${at}.attention.in_linear`, 3 * d));
    const taps = this.rows(`${at}.attention.short_filter.weight`, 3);
    const shift = this.values.get(`${at}.attention.short_filter.bias`)!;
    const s = p.map((_, i) =>
      range(3 * d).map((c) => [0, 1, 2].reduce((sum, t) => sum + taps[c]![t]! * (p[i - 2 + t]?.[c] ?? 0), shift[c]!)),
    );
    const u = s.map((row) => range(d).map((c) => row[c]! * row[2 * d + c]!));
    const gated = this.convolved(u, `${at}.attention.filter_fn`);
    const residual = this.convolved(x, `${at}.attention.filter_fn2`);
    return x.map((_, i) => {
      const mixed = range(d).map((c) => gated[i]![c]! * s[i]![d + c]! + residual[i]![c]!);
      const y = this.projected(mixed, `${at}.attention.out_linear`, d);
      const mlp = this.mlp(y, `${at}.mlp`);
      return this.normed(
        y.map((value, c) => value + mlp[c]!),
        `${at}.mlp.layernorm`,
      );
    });
  }

  private mlp(y: readonly number[], at: string): number[] {
    const h = this.blockDiagonal(y, `${at}.gated_layers.weight`, 2 * intermediate);
    const m = range(intermediate).map((i) => gelu(h[i]!) * h[intermediate + i]!);
    const bias = this.values.get(`${at}.wo.bias`)!;
    return this.blockDiagonal(m, `${at}.wo.weight`, d).map((value, c) => value + bias[c]!);
  }

  private blockDiagonal(x: readonly number[], name: string, out: number): number[] {
    const inputs = x.length / blocks;
    const weights = this.rows(name, inputs);
    return range(out).map((o) => dot(weights[o]!, x.slice(Math.floor(o / (out / blocks)) * inputs)));
  }

  private convolved(u: Matrix, at: string): Matrix {
    const [kf, kr] = ['implicit_filter', 'implicit_filter_rev'].map((net) => this.taps(at, net, u.length)) as [
      Matrix,
      Matrix,
    ];
    const own = this.values.get(`${at}.bias`)!;
    return u.map((_, i) =>
      range(d).map((c) => {
        let sum = own[c]! * u[i]![c]!;
        for (let j = 0; j <= i; j++) sum += kf[i - j]![c]! * u[j]![c]!;
        for (let j = i + 1; j < u.length; j++) sum += kr[j - i - 1]![c]! * u[j]![c]!;
        return sum;
      }),
    );
  }

  private taps(at: string, net: string, rows: number): Matrix {
    const z = this.rows(`${at}.pos_emb.z`, width);
    const last = this.rows(`${at}.${net}.6.weight`, order);
    const delta = this.values.get(`${at}.modulation.deltas`)!;
    return range(rows).map((m) => {
      let h: readonly number[] = z[m]!;
      for (const i of [0, 2, 4]) {
        h = this.projected(h, `${at}.${net}.${i}`, order).map((value) => Math.sin(frequency * value));
      }
      const t = this.values.get(`${at}.pos_emb.t`)![m]!;
      return range(d).map((c) => dot(last[c]!, h) * Math.exp(-t * Math.abs(delta[c]!)));
    });
  }

  private normed(x: readonly number[], at: string): number[] {
    const [weight, bias] = [this.values.get(`${at}.weight`)!, this.values.get(`${at}.bias`)!];
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-12)) * weight[i]! + bias[i]!);
  }

  private projected(x: readonly number[], at: string, out: number): number[] {
    const [weight, bias] = [this.rows(`${at}.weight`, x.length), this.values.get(`${at}.bias`)!];
    return range(out).map((o) => dot(weight[o]!, x) + bias[o]!);
  }

  private filter(at: string): void {
    this.add(`${at}.bias`, [d], 1);
    this.add(`${at}.pos_emb.z`, [1, this.positions, width], 1);
    this.set(`${at}.pos_emb.t`, [1, this.positions, 1], (m) => m / (this.positions - 1));
    this.add(`${at}.modulation.deltas`, [1, 1, d], 10);
    for (const net of ['implicit_filter', 'implicit_filter_rev']) {
      for (const [i, inputs] of [width, order, order].entries()) {
        this.linear(`${at}.${net}.${2 * i}`, order, inputs);
        this.set(`${at}.${net}.${2 * i + 1}.freq`, [1, order], () => frequency);
      }
      this.add(`${at}.${net}.6.weight`, [d, order], 2 / Math.sqrt(this.positions));
    }
  }

  private linear(at: string, out: number, inputs: number): void {
    this.add(`${at}.weight`, [out, inputs], 1 / Math.sqrt(inputs));
    this.add(`${at}.bias`, [out], 1 / Math.sqrt(inputs));
  }

  private norm(at: string): void {
    this.set(`${at}.weight`, [d], () => 0.5 + this.random());
    this.add(`${at}.bias`, [d], 0.5);
  }

  /** Even numbers up to `most`. */
  private add(name: string, shape: number[], most: number): void {
    this.set(name, shape, () => most * (2 * this.random() - 1));
  }

  private set(name: string, shape: number[], at: (i: number) => number): void {
    const data = Float32Array.from({ length: shape.reduce((x, y) => x * y, 1) }, (_, i) => at(i));
    this.values.set(name, data);
    this.tensors.set(`bert.${name}`, { dtype: 'F32', shape, data: new Uint8Array(data.buffer) });
  }

  private rows(name: string, columns: number): number[][] {
    const data = this.values.get(name)!;
    return range(data.length / columns).map((i) => [...data.subarray(i * columns, (i + 1) * columns)]);
  }
}

function dot(x: readonly number[], y: readonly number[]): number {
  return x.reduce((sum, value, i) => sum + value * y[i]!, 0);
}

/** t (1 + erf(t / sqrt 2)) / 2; erf by its power series, in float64 exact to 1e-9 for the |t| < 6 that occur. */
function gelu(t: number): number {
  const x = t / Math.SQRT2;
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (t * (1 + (2 / Math.sqrt(Math.PI)) * sum)) / 2;
}
