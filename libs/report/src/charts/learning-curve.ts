import { axes, type Chart, type ChartOptions } from '../chart.js';
import { methods, policyColour } from '../methods.js';
import type { RunRecord } from '../run-record.js';
import { maxPoints, meanPoint, short, thin, trailingMean, type Point } from '../series.js';

/** Share of the logged iterations that the smoothed line averages over. */
const smoothing = 1 / 20;
const leastWindow = 5;
/** A line of more points is drawn without a mark on each. */
const mostSymbols = 60;

/** Reward by iteration: of the training episodes, of the greedy policy on held-out prompts, of the baselines. */
export function learningCurve({ progress, evaluations }: RunRecord): Chart | undefined {
  if (progress.length === 0 && evaluations.length === 0) return undefined;
  const raw = progress.map(({ iteration, reward }): Point => [iteration, reward]);
  const window = Math.max(leastWindow, Math.round(raw.length * smoothing));
  const last = evaluations.at(-1);
  const reach = [raw[0], raw.at(-1)].flatMap((point) => (point === undefined ? [] : [point[0]]));
  const width = [...new Set([...reach, ...evaluations.map(({ iteration }) => iteration)])].sort((x, y) => x - y);
  const series: ChartOptions[] = [];
  if (last !== undefined) {
    const of = (value: (line: (typeof evaluations)[number]) => number) =>
      reduced(evaluations.map((line): Point => [line.iteration, value(line)]));
    const policy = of(({ policy }) => policy.mean);
    series.push({ ...line('policy (greedy)', policy, { colour: policyColour, width: 2.5, symbols: true }), z: 3 });
    const [low, high] = [of(({ policy }) => policy.low), of(({ policy }) => policy.high)];
    series.push(...band(low, high, policyColour));
  }
  if (raw.length > 0) {
    const smooth = reduced(trailingMean(raw, window));
    series.push(line(`training, mean of ${window}`, smooth, { colour: '#6b7480', width: 2 }));
    series.push(line('training', reduced(raw), { colour: '#8a94a3', width: 1, opacity: 0.45 }));
  }
  for (const { name, label, colour } of methods(last?.baselines.keys() ?? [])) {
    const mean = short(last!.baselines.get(name)!.mean);
    const points = width.map((x): Point => [x, mean]);
    series.push(line(label, reduced(points), { colour, width: 1.5, type: 'dashed' }));
  }
  const first = evaluations[0];
  const summary =
    first === undefined || last === undefined
      ? `Training reward over ${raw.length} logged iterations; the run holds no evaluation.`
      : `The policy goes from ${first.policy.mean.toFixed(3)} at iteration ${first.iteration} to ${last.policy.mean.toFixed(3)} at iteration ${last.iteration}.`;
  return {
    id: 'learning-curve',
    title: 'Learning curve',
    caption:
      'Mean reward by iteration. The band is the bootstrap 95 % interval of the policy’s mean over the evaluation prompts; dashed lines are baselines on the same prompts.',
    summary,
    options: axes('iteration', 'reward', { series }),
    height: 420,
  };
}

interface LineStyle {
  readonly colour: string;
  readonly width: number;
  readonly opacity?: number;
  readonly type?: 'dashed';
  readonly symbols?: boolean;
}

/** One line of a chart. */
export function line(name: string, data: readonly Point[], { symbols = false, ...style }: LineStyle): ChartOptions {
  const { colour, width, opacity = 1, type = 'solid' } = style;
  return {
    type: 'line',
    name,
    data,
    showSymbol: data.length === 1 || (symbols && data.length <= mostSymbols),
    symbolSize: 6,
    lineStyle: { color: colour, width, opacity, type },
    itemStyle: { color: colour },
  };
}

/** What lies between two lines over the same x, which the page's script draws; it has no place in legend and tooltip. */
export function band(low: readonly Point[], high: readonly Point[], colour: string): ChartOptions[] {
  const hidden = { type: 'line', symbol: 'none', silent: true, stack: 'band', stackStrategy: 'all', data: low };
  const rise = low.map(([x, y], i): Point => [x, short(high[i]![1] - y)]);
  return [
    { ...hidden, id: 'band-low', lineStyle: { opacity: 0 } },
    { ...hidden, id: 'band-high', data: rise, lineStyle: { opacity: 0 }, areaStyle: { color: colour, opacity: 0.2 } },
  ];
}

/** The points of a line, few enough to be drawn. */
export function reduced(points: readonly Point[]): Point[] {
  return thin(points, maxPoints, meanPoint).map(([x, y]): Point => [x, short(y)]);
}
