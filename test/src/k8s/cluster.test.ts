import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../conformance/workspace.js';
import { lacks, withoutKubectl } from './manifests.js';

const tools = process.env['A2SF_KUBE_TOOLS'] ?? '';
const skip =
  withoutKubectl ||
  lacks('etcd', '--version') ||
  (existsSync(join(tools, 'start.sh')) ? false : 'no start.sh in the folder A2SF_KUBE_TOOLS');

test(
  'a real control plane admits the overlays, places one generator per GPU and keeps the disruption budgets',
  { skip },
  () => {
    const run = spawnSync('bash', [join(root, 'test/k8s/cluster.sh')], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /^all passed$/m);
  },
);
