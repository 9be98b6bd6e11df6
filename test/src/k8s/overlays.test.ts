import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../conformance/workspace.js';
import { components, overlays, parse, render, renderWith, withoutKubectl, workloads } from './manifests.js';

const app = (name: string): string => (name === 'policy-learner' ? 'policy' : name);
const known = new Set(
  readFileSync(join(root, 'docs/configuration.md'), 'utf8')
    .match(/`A2SF_[A-Z_]+`/g)!
    .map((name) => name.slice(1, -1)),
);

/** Everything but two owners of the generators' replicas: no two of these contradict each other. */
const combinations: readonly (readonly string[])[] = [
  ...components.map((component) => [component]),
  components.filter((component) => !component.startsWith('observability/')),
  ['components/tls', 'components/tracing', 'components/network-policies'],
  ['components/tracing', 'components/tls'],
  ['components/model-volume', 'components/tls', 'components/persistent-runs'],
  ['components/gpu-nvidia', 'components/keda', 'observability/service-monitor'],
];

describe('k8s', { skip: withoutKubectl }, () => {
  const rendered = [
    ...overlays.map((overlay) => ({ title: `overlay ${overlay}`, yaml: () => render(`overlays/${overlay}`) })),
    ...combinations.map((chosen) => ({ title: `base with ${chosen.join(', ')}`, yaml: () => renderWith(chosen) })),
  ];
  for (const { title, yaml } of rendered) {
    test(`${title} renders; its pods are hardened, probed, bounded, and drain within their grace period`, () => {
      const manifests = parse(yaml());
      const all = workloads(manifests);
      assert.deepEqual(all.map(({ name }) => name).toSorted(), [
        'encoder',
        'generator',
        'policy',
        'policy-learner',
        'reward',
        'trainer',
      ]);
      const find = (kind: string, name: string) =>
        manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
      for (const { name, kind, pod, container, env } of all) {
        assert.equal(pod.automountServiceAccountToken, false, name);
        assert.equal(pod.enableServiceLinks, false, name);
        assert.ok(find('ServiceAccount', pod.serviceAccountName), name);
        assert.deepEqual(pod.securityContext?.['seccompProfile'], { type: 'RuntimeDefault' }, name);
        const { securityContext: context } = container;
        assert.deepEqual(
          [context?.['readOnlyRootFilesystem'], context?.['allowPrivilegeEscalation'], context?.['runAsNonRoot']],
          [true, false, true],
          name,
        );
        assert.deepEqual(context?.['capabilities'], { drop: ['ALL'] }, name);
        for (const bound of [container.resources?.requests, container.resources?.limits]) {
          for (const resource of ['cpu', 'memory', 'ephemeral-storage'])
            assert.ok(bound?.[resource], `${name} ${resource}`);
        }
        for (const { name: mounted } of container.volumeMounts) {
          const claimed = mounted === 'state' || pod.volumes.some((volume) => volume.name === mounted);
          assert.ok(claimed, `${name}: no volume ${mounted}`);
        }
        assert.equal(container.volumeMounts.find((mount) => mount.mountPath === '/models')?.readOnly ?? true, true);
        if (kind === 'Job') continue;

        assert.equal(find('Service', name)?.spec?.clusterIP, 'None', name);
        assert.ok(find('PodDisruptionBudget', name), name);
        const drain = Number(env['A2SF_DRAIN_MS']);
        assert.ok(drain >= Number(env['A2SF_DEFAULT_DEADLINE_MS']), `${name} drains for as long as a call may take`);
        const preStop = 5;
        assert.ok(pod.terminationGracePeriodSeconds > preStop + drain / 1000, `${name}: grace period`);
        for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
          const port = container.ports.find((candidate) => candidate.name === 'grpc')!.containerPort;
          // The kubelet's gRPC probe speaks no TLS.
          if (env['A2SF_TLS_CERT'] !== undefined) assert.equal(probe?.grpc, undefined, name);
          assert.ok(probe?.grpc?.port === port || probe?.httpGet?.port === 'http', name);
        }
      }
    });
  }

  test('every setting of every workload is a flag of the documentation', () => {
    const chosen = components.filter((component) => !component.startsWith('observability'));
    const all = [...overlays.map((overlay) => render(`overlays/${overlay}`)), renderWith(chosen)].flatMap((yaml) =>
      workloads(parse(yaml)),
    );
    const unknown = all.flatMap(({ name, env }) =>
      Object.keys(env)
        .filter((variable) => variable.startsWith('A2SF_') && !known.has(variable))
        .map((variable) => `${name}: ${variable}`),
    );
    assert.deepEqual([...new Set(unknown)], []);
  });

  for (const overlay of overlays) {
    test(`${overlay}: every app takes its settings`, () => {
      for (const { name, env } of workloads(parse(render(`overlays/${overlay}`)))) {
        // Everything wrong is told at once: with one wrong flag of ours, that must be all. Nothing is started.
        const main = join(root, `apps/${app(name)}/dist/main.js`);
        const { PATH = '' } = process.env;
        const done = spawnSync(process.execPath, [main, '--http_port', '70000'], {
          env: { PATH, ...env },
          encoding: 'utf8',
        });
        assert.equal(done.status, 2, name);
        assert.match(done.stderr, /^[^\n]*--http_port[^\n]*\n$/, `${name}: ${done.stderr}`);
      }
    });

    test(`${overlay}: addresses are those of its services, and each generator has an entry of the trainer`, () => {
      const manifests = parse(render(`overlays/${overlay}`));
      const all = workloads(manifests);
      const services = new Map(
        manifests
          .filter(({ kind }) => kind === 'Service')
          .map(({ metadata, spec }) => [metadata.name, spec?.ports?.find(({ name }) => name === 'grpc')?.port]),
      );
      for (const { env } of all) {
        for (const [, host, port] of Object.values(env)
          .join(' ')
          .matchAll(/dns:\/\/\/([\w-]+):(\d+)/g)) {
          assert.equal(services.get(host!), Number(port), host);
        }
      }
      const entries = all.find(({ name }) => name === 'trainer')!.env['A2SF_GENERATORS']!.split(' ').length;
      assert.equal(all.find(({ name }) => name === 'generator')!.replicas, entries);
    });
  }

  test('generators ask for one GPU each, and only they', () => {
    const all = workloads(parse(render('overlays/gpu-pool')));
    const gpus = all.map(({ name, container }) => [name, container.resources?.limits['nvidia.com/gpu'] ?? 0]);
    assert.deepEqual(
      gpus.filter(([, count]) => count !== 0).map(([name, count]) => [name, Number(count)]),
      [['generator', 1]],
    );
  });

  test('network policies allow the calls that exist, and no others', () => {
    const policies = parse(render('overlays/gpu-pool')).filter(({ kind }) => kind === 'NetworkPolicy');
    const workload = 'app.kubernetes.io/name';
    const peers = (rules: readonly unknown[] | undefined): string[] =>
      [...JSON.stringify(rules ?? []).matchAll(/"app\.kubernetes\.io\/name":"([\w-]+)"/g)].map((match) => match[1]!);
    const calls = (way: 'ingress' | 'egress'): string[] =>
      policies
        .flatMap(({ spec }) => {
          const name = spec?.podSelector?.matchLabels[workload];
          return name === undefined
            ? []
            : peers(spec?.[way]).map((peer) => (way === 'ingress' ? `${peer} > ${name}` : `${name} > ${peer}`));
        })
        .toSorted();
    const expected = [
      'policy > encoder',
      'policy > policy-learner',
      'policy-learner > encoder',
      'trainer > encoder',
      'trainer > generator',
      'trainer > policy-learner',
      'trainer > reward',
    ];
    assert.deepEqual(calls('ingress'), expected);
    assert.deepEqual(calls('egress'), expected);
    assert.ok(policies.some(({ metadata }) => metadata.name === 'default-deny'));
  });
});
