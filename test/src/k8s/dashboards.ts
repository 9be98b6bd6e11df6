import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../conformance/workspace.js';

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: string }[];
  };
  readonly panels: readonly Panel[];
}

const folder = join(root, 'k8s/observability/dashboards');

/** The shipped dashboards, by the name of their file. */
export const dashboards: readonly { readonly name: string; readonly dashboard: Dashboard }[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .toSorted()
  .map((file) => ({
    name: file.replace('.json', ''),
    dashboard: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Dashboard,
  }));

/** The shipped rules without the custom resource around them: `sed '1,/^spec:/d; s/^  //'`. */
export const rules: string = readFileSync(join(root, 'k8s/observability/alerts/rules.yaml'), 'utf8')
  .split(/^spec:\n/m)[1]!
  .replaceAll(/^ {2}/gm, '');

/** Metrics on dashboards that no process of the suite tells, and who does. */
export const foreign: ReadonlyMap<string, string> = new Map([
  ['DCGM_FI_DEV_GPU_UTIL', "NVIDIA's dcgm-exporter, on nodes with GPUs"],
  ['DCGM_FI_DEV_FB_USED', "NVIDIA's dcgm-exporter, on nodes with GPUs"],
]);

/** One query of a panel. */
export interface Query {
  readonly where: string;
  readonly expr: string;
}

/** The queries of some dashboards that the suite alone can answer. @param names - default: of all. */
export function ownQueries(names: readonly string[] = dashboards.map(({ name }) => name)): Query[] {
  return dashboards
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, dashboard }) =>
      dashboard.panels.flatMap(({ title, targets }) =>
        targets.map(({ refId, expr }) => ({ where: `${name}: ${title} (${refId})`, expr })),
      ),
    )
    .filter(({ expr }) => ![...foreign.keys()].some((metric) => expr.includes(metric)));
}
