import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { root } from '../conformance/workspace.js';
import { components, lacks, overlays, parseFile, render, renderWith, withoutKubectl } from './manifests.js';

/** Folder with the schemas of a Kubernetes release, `kubeconform-schemas.tar.xz`. */
const tools = process.env['A2SF_KUBE_TOOLS'] ?? '';
const archive = join(tools, 'kubeconform-schemas.tar.xz');

const everything = components.filter((component) => !component.startsWith('observability/'));
const yamls = (): Record<string, string> =>
  Object.fromEntries([
    ...overlays.map((overlay) => [overlay, render(`overlays/${overlay}`)]),
    ...components.map((component) => [component.replace('/', '-'), renderWith([component])]),
    ['everything', renderWith(everything)],
  ]);

type Schema = { [key: string]: unknown };

/** Forbids, in place, fields that a schema does not name. */
function forbidUnknown(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  const node = schema as Schema;
  const open = node['x-kubernetes-preserve-unknown-fields'] === true || node['additionalProperties'] !== undefined;
  if (typeof node['properties'] === 'object' && !open) node['additionalProperties'] = false;
  for (const value of Object.values(node)) forbidUnknown(value);
}

/** Kinds of the manifests, as the schemas' files name them. */
const kinds = [
  'configmap-v1',
  'deployment-apps-v1',
  'horizontalpodautoscaler-autoscaling-v2',
  'job-batch-v1',
  'namespace-v1',
  'networkpolicy-networking-v1',
  'persistentvolumeclaim-v1',
  'poddisruptionbudget-policy-v1',
  'service-v1',
  'serviceaccount-v1',
  'statefulset-apps-v1',
];

/** Writes one schema for each kind, with the definitions that it reaches, and one for each custom resource. */
function unpackSchemas(folder: string): void {
  const source = `${folder}-source`;
  for (const made of [folder, source]) mkdirSync(made);
  const unpacked = spawnSync('tar', ['xJf', archive, '-C', source], { encoding: 'utf8' });
  assert.equal(unpacked.status, 0, unpacked.stderr);
  const read = (name: string): Schema =>
    JSON.parse(
      readFileSync(join(source, `${name}.json`), 'utf8').replaceAll('"/api/_definitions.json#', '"#'),
    ) as Schema;
  const definitions = read('_definitions')['$defs'] as Record<string, Schema>;
  for (const kind of kinds) {
    const schema = read(kind);
    const reached: Record<string, Schema> = {};
    const reach = (from: Schema): void => {
      for (const [, name] of JSON.stringify(from).matchAll(/"#\/\$defs\/([^"]+)"/g)) {
        if (reached[name!] !== undefined) continue;
        reached[name!] = definitions[name!]!;
        reach(definitions[name!]!);
      }
    };
    reach(schema);
    const bundled = { ...schema, $defs: reached };
    forbidUnknown(bundled);
    writeFileSync(join(folder, `${kind}.json`), JSON.stringify(bundled));
  }
  interface Crd {
    readonly spec: {
      readonly names: { readonly kind: string };
      readonly group: string;
      readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
    };
  }
  const crds = 'test/k8s/crds';
  for (const file of readdirSync(join(root, crds)).filter((name) => name.endsWith('.yaml'))) {
    const [crd] = parseFile(join(crds, file)) as unknown as [Crd];
    const [version] = crd.spec.versions;
    const schema = version!.schema.openAPIV3Schema;
    const { properties } = schema as { properties: Schema };
    delete properties['metadata'];
    forbidUnknown(schema);
    properties['metadata'] = { type: 'object' };
    const name = `${crd.spec.names.kind}-${crd.spec.group.split('.')[0]}-${version!.name}.json`.toLowerCase();
    writeFileSync(join(folder, name), JSON.stringify(schema));
  }
}

const noSchemas = existsSync(archive) ? false : 'no kubeconform-schemas.tar.xz in the folder A2SF_KUBE_TOOLS';
const noKubeconform = withoutKubectl || lacks('kubeconform', '-v') || noSchemas;

describe('kubeconform', { skip: noKubeconform }, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'a2sf-schemas-'));
  after(() => rmSync(scratch, { recursive: true }));
  const folder = join(scratch, 'schemas');
  /** Checks all at once. */
  const check = (yaml: Readonly<Record<string, string>>): { status: number | null; output: string } => {
    if (!existsSync(folder)) unpackSchemas(folder);
    const manifests = mkdtempSync(join(scratch, 'manifests-'));
    for (const [name, text] of Object.entries(yaml)) writeFileSync(join(manifests, `${name}.yaml`), text);
    const flags = ['-strict', '-schema-location', `${folder}/{{.ResourceKind}}{{.KindSuffix}}.json`, manifests];
    const { status, stdout, stderr } = spawnSync('kubeconform', flags, { encoding: 'utf8' });
    return { status, output: stdout + stderr };
  };

  test('every overlay and every component fits the schemas, custom resources too, to the last field', () => {
    assert.deepEqual(check(yamls()), { status: 0, output: '' });
  });

  test('a field that does not exist, or is of the wrong type, is found', () => {
    const yaml = render('overlays/gpu-pool');
    const faults = [
      ['enableServiceLinks: false', 'enableServiceLink: false'],
      ['maxUnavailable: 1', 'maxUnavailable: true'],
      ['jobLabel:', 'jobLable:'],
    ] as const;
    for (const [from] of faults) assert.ok(yaml.includes(from), from);
    const { status, output } = check(
      Object.fromEntries(faults.map(([from, to], i) => [`fault-${i}`, yaml.replace(from, to)])),
    );
    assert.equal(status, 1);
    for (const i of faults.keys()) assert.ok(output.includes(`fault-${i}`), output);
  });
});

/** What kube-score would have otherwise, and why it is as it is. */
const exceptions: Readonly<Record<string, string>> = {
  'container-image-pull-policy':
    'tags are releases and overlays pin digests: a node that has the image needs no registry',
  'deployment-has-host-podantiaffinity': 'topologySpreadConstraints spread the pods, also over zones',
  'deployment-replicas': 'cpu-demo and gpu-single are one node; the base has two of everything',
};

test(
  'kube-score has nothing to say of any overlay but the listed exceptions',
  { skip: withoutKubectl || lacks('kube-score', 'version') },
  () => {
    for (const overlay of overlays) {
      const ignored = Object.keys(exceptions).flatMap((name) => ['--ignore-test', name]);
      const run = spawnSync('kube-score', ['score', '-o', 'ci', '--exit-one-on-warning', ...ignored, '-'], {
        input: render(`overlays/${overlay}`),
        encoding: 'utf8',
      });
      const found = run.stdout.split('\n').filter((line) => /^\[(CRITICAL|WARNING)\]/.test(line));
      assert.deepEqual(found, [], overlay);
      assert.equal(run.status, 0, run.stderr);
    }
  },
);
