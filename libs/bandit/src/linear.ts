/**
 * y[n, o] = b[o] + sum_i W[o, i] x[n, i], summed in the order of i in double precision, so that a row's result does not
 * depend on the batch around it. Tiles of four rows by two outputs are taken at a time, and of one row by four outputs
 * where fewer rows are left: each number that is read serves several independent sums.
 *
 * weights [outputs, inputs], bias [outputs], x [rows, inputs] -> [rows, outputs]
 */
export function affine(weights: Float32Array, bias: Float32Array, x: Float64Array, rows: number): Float64Array {
  const outputs = bias.length;
  const y = new Float64Array(rows * outputs);
  const tiled = rows - (rows % 4);
  for (let n = 0; n < tiled; n += 4) fourRows(weights, bias, x, n, y);
  for (let n = tiled; n < rows; n++) oneRow(weights, bias, x, n, y);
  return y;
}

function fourRows(weights: Float32Array, bias: Float32Array, x: Float64Array, n: number, y: Float64Array): void {
  const outputs = bias.length;
  const inputs = weights.length / outputs;
  const x0 = n * inputs;
  const x1 = x0 + inputs;
  const x2 = x1 + inputs;
  const x3 = x2 + inputs;
  for (let o = 0; o < outputs; o += 2) {
    const p = Math.min(o + 1, outputs - 1); // past the last output: the last one again
    const v0 = o * inputs;
    const w0 = p * inputs;
    let s0 = bias[o]!;
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let t0 = bias[p]!;
    let t1 = t0;
    let t2 = t0;
    let t3 = t0;
    for (let i = 0; i < inputs; i++) {
      const v = weights[v0 + i]!;
      const w = weights[w0 + i]!;
      const a = x[x0 + i]!;
      const b = x[x1 + i]!;
      const c = x[x2 + i]!;
      const d = x[x3 + i]!;
      s0 += v * a;
      s1 += v * b;
      s2 += v * c;
      s3 += v * d;
      t0 += w * a;
      t1 += w * b;
      t2 += w * c;
      t3 += w * d;
    }
    const at = n * outputs;
    y[at + o] = s0;
    y[at + outputs + o] = s1;
    y[at + 2 * outputs + o] = s2;
    y[at + 3 * outputs + o] = s3;
    y[at + p] = t0;
    y[at + outputs + p] = t1;
    y[at + 2 * outputs + p] = t2;
    y[at + 3 * outputs + p] = t3;
  }
}

function oneRow(weights: Float32Array, bias: Float32Array, x: Float64Array, n: number, y: Float64Array): void {
  const outputs = bias.length;
  const inputs = weights.length / outputs;
  const start = n * inputs;
  for (let o = 0; o < outputs; o += 4) {
    const last = outputs - 1;
    const o1 = Math.min(o + 1, last); // past the last output: the last one again
    const o2 = Math.min(o + 2, last);
    const o3 = Math.min(o + 3, last);
    const w0 = o * inputs;
    const w1 = o1 * inputs;
    const w2 = o2 * inputs;
    const w3 = o3 * inputs;
    let s0 = bias[o]!;
    let s1 = bias[o1]!;
    let s2 = bias[o2]!;
    let s3 = bias[o3]!;
    for (let i = 0; i < inputs; i++) {
      const v = x[start + i]!;
      s0 += weights[w0 + i]! * v;
      s1 += weights[w1 + i]! * v;
      s2 += weights[w2 + i]! * v;
      s3 += weights[w3 + i]! * v;
    }
    const at = n * outputs;
    y[at + o] = s0;
    y[at + o1] = s1;
    y[at + o2] = s2;
    y[at + o3] = s3;
  }
}

/** What the chain rule gives for one affine layer. */
export interface AffineGradient {
  readonly weights: Float64Array; // [outputs, inputs]
  readonly bias: Float64Array; // [outputs]
}

/**
 * dE/dW[o, i] = sum_n d[n, o] x[n, i] and dE/db[o] = sum_n d[n, o], d = dE/dy [rows, outputs], in the order of n. Zeros of
 * d, which ReLU makes many, are left out.
 */
export function affineGradient(d: Float64Array, x: Float64Array, rows: number, outputs: number): AffineGradient {
  const inputs = x.length / rows;
  const weights = new Float64Array(outputs * inputs);
  const bias = new Float64Array(outputs);
  const terms = new Terms(rows);
  for (let o = 0; o < outputs; o++) {
    terms.count = 0;
    for (let n = 0; n < rows; n++) {
      const factor = d[n * outputs + o]!;
      if (factor === 0) continue;
      bias[o]! += factor;
      terms.push(factor, n * inputs);
    }
    terms.addTo(weights, o * inputs, x, inputs);
  }
  return { weights, bias };
}

/** dE/dx[n, i] = sum_o d[n, o] W[o, i], in the order of o; zeros of d are left out. */
export function inputGradient(d: Float64Array, weights: Float32Array, rows: number): Float64Array {
  const outputs = d.length / rows;
  const inputs = weights.length / outputs;
  const W = Float64Array.from(weights);
  const gradient = new Float64Array(rows * inputs);
  const terms = new Terms(outputs);
  for (let n = 0; n < rows; n++) {
    terms.count = 0;
    for (let o = 0; o < outputs; o++) {
      const factor = d[n * outputs + o]!;
      if (factor !== 0) terms.push(factor, o * inputs);
    }
    terms.addTo(gradient, n * inputs, W, inputs);
  }
  return gradient;
}

/** A sum of scaled rows, four of which are added in one pass, in their order. */
class Terms {
  count = 0;
  readonly #factors: Float64Array;
  readonly #starts: Int32Array;

  constructor(capacity: number) {
    this.#factors = new Float64Array(capacity);
    this.#starts = new Int32Array(capacity);
  }

  push(factor: number, start: number): void {
    this.#factors[this.count] = factor;
    this.#starts[this.count++] = start;
  }

  /** into[at + i] += sum_k factor_k from[start_k + i], i = 0..length-1. */
  addTo(into: Float64Array, at: number, from: Float64Array, length: number): void {
    let k = 0;
    for (; k + 3 < this.count; k += 4) this.#addFour(k, into, at, from, length);
    for (; k < this.count; k++) {
      const factor = this.#factors[k]!;
      const start = this.#starts[k]!;
      for (let i = 0; i < length; i++) into[at + i]! += factor * from[start + i]!;
    }
  }

  #addFour(k: number, into: Float64Array, at: number, from: Float64Array, length: number): void {
    const [f0, f1, f2, f3] = [this.#factors[k]!, this.#factors[k + 1]!, this.#factors[k + 2]!, this.#factors[k + 3]!];
    const [s0, s1, s2, s3] = [this.#starts[k]!, this.#starts[k + 1]!, this.#starts[k + 2]!, this.#starts[k + 3]!];
    for (let i = 0; i < length; i++) {
      into[at + i] = into[at + i]! + f0 * from[s0 + i]! + f1 * from[s1 + i]! + f2 * from[s2 + i]! + f3 * from[s3 + i]!;
    }
  }
}
