import type { Random } from '@a2sf/random';

/** A number of the standard normal distribution (Box, Muller 1958): sqrt(-2 ln(1 - u)) cos(2 pi v). */
export function standardNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
  return radius * Math.cos(2 * Math.PI * random.uniform());
}

/** Phi(x) = P(N(0, 1) <= x), relative error below 1.2e-7 (Press et al., Numerical Recipes, erfcc). */
export function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + z / 2);
  let sum = 0;
  for (const coefficient of erfcCoefficients) sum = sum * t + coefficient;
  const tail = (t * Math.exp(-z * z + sum)) / 2;
  return x < 0 ? tail : 1 - tail;
}

/** Of t^9 .. t^0 in ln(erfc(z) / t) + z^2. */
const erfcCoefficients = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];

/**
 * P(X_a is the largest) for independent X_b ~ N(means_b, deviations_b^2), deviations > 0:
 * integral of phi(t) prod_{b != a} Phi((mu_a + sigma_a t - mu_b) / sigma_b) over t in -9..9, by adaptive Simpson.
 * Error below 1e-6; at least 1e-12, so that it can be divided by.
 */
export function probabilityOfLargest(means: Float64Array, deviations: Float64Array, a: number): number {
  const density = (t: number): number => {
    const x = means[a]! + deviations[a]! * t;
    let product = Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
    for (let b = 0; b < means.length && product > 1e-14; b++) {
      if (b !== a) product *= normalCdf((x - means[b]!) / deviations[b]!);
    }
    return product;
  };
  const panels = 36;
  const width = 18 / panels;
  let total = 0;
  for (let k = 0; k < panels; k++) {
    const from = -9 + k * width;
    const ends: Ends = [density(from), density(from + width / 2), density(from + width)];
    total += simpson(density, from, width, ends, 12);
  }
  return Math.min(Math.max(total, 1e-12), 1);
}

type Ends = readonly [number, number, number];

/** The integral over `width` from `from`, halved until two estimates agree to 1e-8 or `depth` is used up. */
function simpson(f: (x: number) => number, from: number, width: number, ends: Ends, depth: number): number {
  const [left, middle, right] = ends;
  const l = f(from + width / 4);
  const r = f(from + (3 * width) / 4);
  const coarse = (width / 6) * (left + 4 * middle + right);
  const fine = (width / 12) * (left + 4 * l + 2 * middle + 4 * r + right);
  if (depth === 0 || Math.abs(fine - coarse) < 1e-8) return fine + (fine - coarse) / 15;
  const half = width / 2;
  return (
    simpson(f, from, half, [left, l, middle], depth - 1) + simpson(f, from + half, half, [middle, r, right], depth - 1)
  );
}
