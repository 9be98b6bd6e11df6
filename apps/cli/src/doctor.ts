import { boolean, option, resolveOptions } from '@a2sf/config';
import { options as trainerOptions } from '@a2sf/trainer-app';
import { findingLines, isHealthy, type Finding } from './doctor-findings.js';
import { checkDevices, checkDisk, checkMemory, checkNode, checkOnnxruntime } from './doctor-machine.js';
import { checkPeers, checkSecurity } from './doctor-peers.js';
import { checkPorts } from './doctor-ports.js';
import { suiteVersion } from './suite-version.js';

const { modelName, contextEncoderModel, revision, contextEncoderRevision, device, saveDir } = trainerOptions;
const {
  generators,
  encoder,
  rewardService,
  policy,
  tlsCert,
  tlsKey,
  tlsCa,
  tlsReloadSeconds,
  tlsServerName,
  tokenFile,
} = trainerOptions;
const services = 'Services that run already';

const options = {
  modelName,
  contextEncoderModel,
  revision,
  contextEncoderRevision,
  device,
  saveDir,
  generators: { ...generators, group: services },
  encoder: { ...encoder, group: services },
  rewardService: { ...rewardService, group: services },
  policy: { ...policy, group: services },
  tlsCert: { ...tlsCert, group: services },
  tlsKey: { ...tlsKey, group: services },
  tlsCa: { ...tlsCa, group: services },
  tlsReloadSeconds: { ...tlsReloadSeconds, group: services },
  tlsServerName: { ...tlsServerName, group: services },
  tokenFile: { ...tokenFile, group: services },
  json: option({ schema: boolean, description: 'print the findings as JSON', default: false, group: 'Output' }),
};

/** `a2sf doctor`: whether this machine, and the services that the flags name, are fit for the suite. */
export async function doctor(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf doctor',
    description: 'Checks what the suite needs, line by line: ok, a warning, or a problem with its fix. Starts nothing.',
    epilogue: 'Exit codes: 0 no problem (warnings there may be), 1 a problem, 2 wrong usage.',
  };
  const { values } = resolveOptions(command, options, argv);
  const peers = { ...values, generators: values.generators ?? [] };
  const { findings: certificates, security } = checkSecurity(values);
  const runtime = await checkOnnxruntime();
  const models = runtime.verdict === 'ok' ? await checkModels(values) : { findings: [], weightBytes: 0 };
  const addresses = [...peers.generators, peers.encoder, peers.rewardService, peers.policy].filter(
    (address) => address !== undefined,
  );
  const findings: Finding[] = [
    { check: 'a2sf', verdict: 'ok', message: suiteVersion() },
    checkNode(),
    runtime,
    ...models.findings,
    checkDisk(values.saveDir),
    checkMemory(models.weightBytes),
    ...certificates,
    ...(security === undefined ? notAsked(addresses) : await checkPeers(peers, security)),
    ...(await checkPorts(addresses)),
  ];
  security?.close();
  const ok = isHealthy(findings);
  process.stdout.write(values.json ? `${JSON.stringify({ ok, findings }, null, 2)}\n` : findingLines(findings));
  if (!ok) process.exitCode = 1;
}

/** What stands in the place of peers that could not be asked. */
function notAsked(addresses: readonly string[]): Finding[] {
  if (addresses.length === 0) return [];
  return [
    { check: 'peers', verdict: 'warning', message: 'not asked, since the files of TLS or the token cannot be used' },
  ];
}

type ModelValues = Pick<
  ReturnType<typeof resolveOptions<typeof options>>['values'],
  'modelName' | 'contextEncoderModel' | 'revision' | 'contextEncoderRevision' | 'device'
>;

/** Devices and models; loaded only where onnxruntime can be, which ends the process where it cannot. */
async function checkModels(values: ModelValues): Promise<{ findings: Finding[]; weightBytes: number }> {
  const { checkEmbeddedModel, checkModelFolder } = await import('./doctor-models.js');
  const findings = [
    ...(await checkDevices(values.device)),
    await checkEmbeddedModel('llm'),
    await checkEmbeddedModel('encoder'),
  ];
  let weightBytes = 0;
  for (const [kind, name, revision] of [
    ['llm', values.modelName, values.revision],
    ['encoder', values.contextEncoderModel, values.contextEncoderRevision],
  ] as const) {
    if (name === undefined) continue;
    const checked = checkModelFolder(kind, name, revision);
    findings.push(...checked.findings);
    weightBytes += checked.weightBytes;
  }
  return { findings, weightBytes };
}
