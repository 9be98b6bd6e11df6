import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root } from '../conformance/workspace.js';

/** Why a test that needs a command is skipped, or false. */
export function lacks(command: string, ...args: string[]): string | false {
  const run = spawnSync(command, args, { stdio: 'ignore' });
  return run.error === undefined && run.status === 0 ? false : `no ${command}`;
}

export const withoutKubectl: string | false = lacks('kubectl', 'version', '--client');

export const overlays = ['cpu-demo', 'gpu-single', 'gpu-pool'] as const;
export const components = [
  'components/gpu-nvidia',
  'components/hpa',
  'components/keda',
  'components/model-volume',
  'components/network-policies',
  'components/persistent-runs',
  'components/tls',
  'components/tracing',
  'observability',
  'observability/alerts',
  'observability/dashboards',
  'observability/service-monitor',
] as const;

export interface Probe {
  readonly grpc?: { readonly port: number; readonly service?: string };
  readonly httpGet?: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly resources?: { readonly requests: Record<string, unknown>; readonly limits: Record<string, unknown> };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

export interface Pod {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

/** What the tests read of an object; which fields there are depends on its kind. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: Pod };
    readonly podSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly ports?: readonly { readonly name: string; readonly port: number }[];
    readonly clusterIP?: string;
    readonly ingress?: readonly unknown[];
    readonly egress?: readonly unknown[];
  };
}

function run(command: string, args: readonly string[], input?: string): string {
  const done = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(input === undefined ? {} : { input }),
  });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

/** The YAML of a kustomization, as plain `kubectl kustomize` renders it. @param folder - below k8s. */
export const render = (folder: string): string => run('kubectl', ['kustomize', join(root, 'k8s', folder)]);

/** The YAML of the base with components. */
export function renderWith(chosen: readonly string[]): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'a2sf-kustomize-')));
  const at = (path: string): string => relative(folder, join(realpathSync(root), 'k8s', path));
  try {
    mkdirSync(folder, { recursive: true });
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace: 'a2sf',
      resources: [at('base')],
      components: chosen.map(at),
    };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    return run('kubectl', ['kustomize', folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Objects of YAML documents. kubectl reads the YAML; it calls no server for that. */
export function parse(yaml: string): Manifest[] {
  const json = run('kubectl', ['annotate', '--local', '-f', '-', '-o', 'json', 'a2sf.dev/read=true'], yaml);
  return json
    .split(/^(?=\{$)/m)
    .filter((text) => text.trim() !== '')
    .map((text) => JSON.parse(text) as Manifest);
}

export const parseFile = (path: string): Manifest[] => parse(readFileSync(join(root, path), 'utf8'));

export interface Workload {
  readonly name: string;
  readonly kind: string;
  readonly replicas: number | undefined;
  readonly pod: Pod;
  readonly container: Container;
  /** The settings, from its ConfigMap. */
  readonly env: Readonly<Record<string, string>>;
}

/** The workloads among manifests. */
export function workloads(manifests: readonly Manifest[]): Workload[] {
  return manifests.flatMap(({ kind, metadata, spec }) => {
    const pod = spec?.template?.spec;
    if (pod === undefined) return [];
    const [container] = pod.containers;
    const maps = container.envFrom.map(({ configMapRef }) =>
      manifests.find((other) => other.kind === 'ConfigMap' && other.metadata.name === configMapRef.name),
    );
    const env = Object.assign({}, ...maps.map((map) => map?.data)) as Record<string, string>;
    return [{ name: metadata.name, kind, replicas: spec?.replicas, pod, container, env }];
  });
}
