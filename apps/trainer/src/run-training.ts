import { promptOrder } from '@a2sf/datasets';
import type { A2sfError } from '@a2sf/errors';
import { ClientSecurity } from '@a2sf/grpc-runtime';
import { createLogger, type Logger, Metrics, startHttp, startTracing } from '@a2sf/observability';
import {
  claimFolder,
  requireSameIdentities,
  requireSameSpace,
  RunFolder,
  train,
  waitForRoom,
  type FolderUse,
  type PeerPatience,
  type ResumePoint,
} from '@a2sf/training';
import { connectSuite, givenAddresses } from './connect-suite.js';
import { mergeObservers } from './merge-observers.js';
import type { TrainerOptions } from './options.js';
import { progressDisplay } from './progress-display.js';
import { recordedIdentities } from './recorded-options.js';
import { conclusion, introduction } from './report.js';
import { planRun } from './run-plan.js';
import { reportRun } from './run-report.js';
import { readSource } from './run-source.js';
import { startPoint } from './start-point.js';
import type { StartSuite, Suite } from './suite.js';
import { trainerMetrics } from './trainer-metrics.js';

/** The options of a run, and where they came from as config.json records it. */
export interface GivenOptions {
  readonly values: TrainerOptions;
  readonly origins: Readonly<Record<string, string>>;
}

/**
 * One run, from the reading of its prompts to its table. What can be refused is refused before anything in the run's
 * folder is changed; whatever was taken is given back in reverse order, however the run ends.
 */
export async function runTraining(
  { values: given, origins }: GivenOptions,
  resume: ResumePoint | undefined,
  startSuite: StartSuite | undefined,
  signal: AbortSignal,
): Promise<void> {
  const log = createLogger({ name: 'trainer', level: given.logLevel });
  const addresses = givenAddresses(given, startSuite !== undefined);
  // Services that are started here are on loopback, in plaintext.
  const security = addresses === undefined ? ClientSecurity.plaintext : ClientSecurity.of(given, log);
  const tracing = await startTracing({ name: 'trainer', log });
  const taken: (() => Promise<void>)[] = [() => tracing.stop(), async () => security.close()];
  let suite: Suite | undefined;
  let ready = false;
  /** Calls that wait for a service that is away. */
  const away = { calls: 0 };
  try {
    const source = await readSource(given);
    const { values, sides } = source;
    const { saveDir } = values;
    for (const note of [...source.notes, ...(resume?.warnings ?? [])]) log.warn(note);
    const claim = await claimFolder(saveDir, resume?.kind === 'run' || values.overwrite);
    taken.push(() => claim.release());
    const metrics = new Metrics();
    const metricsObserver = trainerMetrics(metrics);
    const http = await startHttp({
      host: values.host,
      port: values.httpPort,
      metrics,
      ready: () => ready && away.calls === 0,
      log,
    });
    taken.push(() => http.close());
    const started =
      addresses === undefined ? await startSuite!(values, signal) : await connectSuite(addresses, security, signal);
    suite = started;
    taken.push(() => started.stop());
    const calling = { security, ...patience(given, addresses !== undefined, away, log) };
    const connected = await source.connect(started.addresses, { calling, metrics: metricsObserver, signal });
    taken.push(async () => connected.close());
    const { policy, participants } = connected;
    const plan = planRun(values, participants, sides);
    if (resume?.kind === 'run') {
      requireSameIdentities(recordedIdentities(resume.config), plan.definition.identities);
    }
    if (resume !== undefined) requireSameSpace(resume.checkpoint.state, plan.settings.space);
    const start = startPoint(plan, participants.dimension, resume, saveDir);
    const write = waitForRoom({
      signal,
      onWait: (err) => {
        metricsObserver.setDiskFull(true);
        log.warn({ err, folder: saveDir }, 'the disk of the run folder is full: training waits for room');
      },
      onGoOn: () => metricsObserver.setDiskFull(false),
      onGiveUp: (err) => log.error({ err, folder: saveDir }, 'the run ends before this could be written'),
    });
    const records = await RunFolder.open(claim, folderUse(values, resume), write);
    taken.push(() => records.close());
    await records.writeConfig({ ...plan.config, option_sources: origins });

    const display = progressDisplay(
      { ...values, from: resume?.iteration ?? 0, to: values.iterations, write: writeLine },
      process.stderr.isTTY ? process.stderr : undefined,
    );
    taken.push(async () => display.close());
    display.note(introduction(plan, sides.train.size, sides.evaluation.size, saveDir));
    ready = true;
    const order = promptOrder(values.seed, sides.train.size);
    const { texts, ...parts } = await connected.parts(plan.settings, records);
    const outcome = await train(
      {
        settings: plan.settings,
        policy,
        ...parts,
        promptOf: (episode) => order.at(episode),
        records,
        observer: mergeObservers(display, metricsObserver),
      },
      start,
      signal,
    );
    display.note(conclusion(outcome, plan, saveDir));
    const reported = outcome.interrupted || texts === undefined ? undefined : { ...texts, signal };
    display.note(await reportRun(saveDir, reported, log));
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

/** Between two lines about services that are away. */
const awayLogMs = 10_000;

/** Services that were started here do not come back by themselves: nothing is gained by waiting for them. */
function patience(
  { waitSeconds }: TrainerOptions,
  comeBack: boolean,
  away: { calls: number },
  log: Logger,
): PeerPatience {
  let toldAt = -Infinity;
  const onAway = (err: A2sfError, first: boolean): void => {
    if (first) away.calls++;
    if (performance.now() - toldAt < awayLogMs) return;
    toldAt = performance.now();
    log.warn({ err, waitSeconds }, 'a service is away; it is waited for');
  };
  const onBack = (): void => {
    away.calls--;
  };
  return comeBack ? { patienceMs: 1000 * waitSeconds, onAway, onBack } : {};
}

function folderUse({ overwrite }: TrainerOptions, resume: ResumePoint | undefined): FolderUse {
  if (resume?.kind === 'run') return { kind: 'resume', iteration: resume.iteration, from: resume.folder };
  return { kind: overwrite ? 'overwrite' : 'new' };
}

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
