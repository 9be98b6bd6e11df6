import { promptOrder } from '@a2sf/datasets';
import { ClientSecurity } from '@a2sf/grpc-runtime';
import { createLogger, Metrics, startHttp } from '@a2sf/observability';
import {
  claimFolder,
  GrpcPeers,
  PromptMemory,
  readPrompts,
  requireSameIdentities,
  requireSameSpace,
  RewardRule,
  RunFolder,
  train,
  type FolderUse,
  type ResumePoint,
} from '@a2sf/training';
import { connectSuite, givenAddresses } from './connect-suite.js';
import { mergeObservers } from './merge-observers.js';
import { dataPath, type TrainerOptions } from './options.js';
import { progressDisplay } from './progress-display.js';
import { recordedIdentities } from './recorded-options.js';
import { conclusion, introduction } from './report.js';
import { planRun } from './run-plan.js';
import { startPoint } from './start-point.js';
import type { StartSuite, Suite } from './suite.js';
import { trainerMetrics } from './trainer-metrics.js';

/**
 * One run, from the reading of its prompts to its table. What can be refused is refused before anything in the run's
 * folder is changed; whatever was taken is given back in reverse order, however the run ends.
 */
export async function runTraining(
  values: TrainerOptions,
  resume: ResumePoint | undefined,
  startSuite: StartSuite | undefined,
  signal: AbortSignal,
): Promise<void> {
  const log = createLogger({ name: 'trainer', level: values.logLevel });
  const given = givenAddresses(values, startSuite !== undefined);
  // Services that are started here are on loopback, in plaintext.
  const security = given === undefined ? ClientSecurity.plaintext : ClientSecurity.of(values, log);
  const taken: (() => Promise<void>)[] = [async () => security.close()];
  let suite: Suite | undefined;
  let ready = false;
  try {
    const { saveDir } = values;
    const prompts = await readPrompts({
      path: dataPath(values),
      datasets: values.datasets ?? [],
      evalSamples: values.evalSamples,
      modelName: values.modelName ?? '',
    });
    for (const note of [...prompts.notes, ...(resume?.warnings ?? [])]) log.warn(note);
    const claim = await claimFolder(saveDir, resume?.kind === 'run' || values.overwrite);
    taken.push(() => claim.release());
    const metrics = new Metrics();
    const metricsObserver = trainerMetrics(metrics);
    const http = await startHttp({ host: values.host, port: values.httpPort, metrics, ready: () => ready, log });
    taken.push(() => http.close());
    const started =
      given === undefined ? await startSuite!(values, signal) : await connectSuite(given, security, signal);
    suite = started;
    taken.push(() => started.stop());
    const peers = new GrpcPeers(started.addresses, {}, { security });
    taken.push(async () => peers.close());

    await new RewardRule(values.reward).check(peers, [...prompts.train, ...prompts.evaluation], signal);
    const info = await peers.describe(signal);
    const plan = planRun(values, info, prompts);
    if (resume?.kind === 'run') {
      requireSameIdentities(recordedIdentities(resume.config), plan.definition.identities);
    }
    if (resume !== undefined) requireSameSpace(resume.checkpoint.state, plan.settings.space);
    const start = startPoint(plan, info.encoder.dimension, resume, saveDir);
    const records = await RunFolder.open(claim, folderUse(values, resume));
    taken.push(() => records.close());
    await records.writeConfig(plan.config);

    const display = progressDisplay(
      { ...values, from: resume?.iteration ?? 0, to: values.iterations, write: writeLine },
      process.stderr.isTTY ? process.stderr : undefined,
    );
    taken.push(async () => display.close());
    display.note(introduction(plan, prompts.train.length, prompts.evaluation.length, saveDir));
    ready = true;
    const order = promptOrder(values.seed, prompts.train.length);
    const outcome = await train(
      {
        settings: plan.settings,
        peers,
        train: new PromptMemory(prompts.train),
        evaluation: new PromptMemory(prompts.evaluation),
        promptOf: (episode) => order.at(episode),
        records,
        observer: mergeObservers(display, metricsObserver),
      },
      start,
      signal,
    );
    display.note(conclusion(outcome, plan, saveDir));
  } catch (error) {
    // A service that ended says more than the call that did not reach it.
    throw suite?.failure() ?? error;
  } finally {
    ready = false;
    for (const giveBack of taken.reverse()) {
      await giveBack().catch((error: unknown) => log.error({ err: error }, 'could not end in order'));
    }
  }
}

function folderUse({ overwrite }: TrainerOptions, resume: ResumePoint | undefined): FolderUse {
  if (resume?.kind === 'run') return { kind: 'resume', iteration: resume.iteration, from: resume.folder };
  return { kind: overwrite ? 'overwrite' : 'new' };
}

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
