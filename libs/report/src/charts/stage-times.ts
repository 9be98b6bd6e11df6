import { axes, type Chart } from '../chart.js';
import type { IterationRecord, RunRecord } from '../run-record.js';
import { short, thin } from '../series.js';

const maxBars = 60;
const colours = ['#2b7de9', '#12906b', '#d0660a', '#c04f94', '#8e6cc0', '#a68a00', '#7d8590'];

/** Where the time of an iteration goes. */
export function stageTimes({ progress }: RunRecord): Chart | undefined {
  const timed = progress.filter(({ seconds }) => seconds.size > 0);
  if (timed.length === 0) return undefined;
  const stages = [...new Set(timed.flatMap(({ seconds }) => [...seconds.keys()]))];
  const bars = thin(timed, maxBars, meanTimes);
  const totals = stages.map((stage) => timed.reduce((sum, { seconds }) => sum + (seconds.get(stage) ?? 0), 0));
  const all = totals.reduce((sum, total) => sum + total, 0);
  const shares = stages.map((stage, i) => `${stage} ${((100 * totals[i]!) / Math.max(all, 1e-12)).toFixed(1)} %`);
  return {
    id: 'stage-times',
    title: 'Stage times',
    caption: `Seconds per iteration by stage, wall time${bars.length < timed.length ? '; each bar is the mean of neighbouring logged iterations' : ''}.`,
    summary: `${(all / timed.length).toPrecision(3)} s an iteration: ${shares.join(', ')}.`,
    options: axes('iteration', 'seconds', {
      xAxis: {
        type: 'category',
        name: 'iteration',
        nameLocation: 'middle',
        nameGap: 26,
        data: bars.map(({ iteration }) => String(iteration)),
      },
      yAxis: { type: 'value', name: 'seconds', nameTextStyle: { align: 'left' } },
      series: stages.map((stage, i) => ({
        type: 'bar',
        stack: 'seconds',
        name: stage,
        itemStyle: { color: colours[i % colours.length] },
        data: bars.map(({ seconds }) => short(seconds.get(stage) ?? 0)),
      })),
    }),
  };
}

function meanTimes(group: readonly IterationRecord[]): IterationRecord {
  const seconds = new Map<string, number>();
  for (const line of group) {
    for (const [stage, value] of line.seconds) seconds.set(stage, (seconds.get(stage) ?? 0) + value / group.length);
  }
  return { ...group.at(-1)!, seconds };
}
