/** Options of an echarts chart: JSON alone, for they travel in the page. */
export type ChartOptions = Readonly<Record<string, unknown>>;

/** A chart of the page. */
export interface Chart {
  /** Word that names the chart in the page, unique in it. */
  readonly id: string;
  readonly title: string;
  /** What is shown, for people who read and for those who listen. */
  readonly caption: string;
  /** What the chart says, in a sentence. */
  readonly summary: string;
  readonly options: ChartOptions;
  /** Pixels; default 340. */
  readonly height?: number;
}

/** A chart with number axes, in the style that all share. */
export function axes(x: string, y: string, more: ChartOptions = {}): ChartOptions {
  return {
    animation: false,
    grid: { left: 8, right: 18, top: 64, bottom: 34, containLabel: true },
    legend: { type: 'scroll', top: 0, left: 0 },
    tooltip: { trigger: 'axis', confine: true },
    xAxis: { type: 'value', name: x, nameLocation: 'middle', nameGap: 26, min: 'dataMin', max: 'dataMax' },
    yAxis: { type: 'value', name: y, nameTextStyle: { align: 'left' }, scale: true },
    ...more,
  };
}
