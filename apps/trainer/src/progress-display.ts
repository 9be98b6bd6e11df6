import type { TrainingObserver } from '@a2sf/training';
import cliProgress from 'cli-progress';

/** Shows how a run goes to whoever watches it. */
export interface ProgressDisplay extends TrainingObserver {
  /** A line of its own. */
  note(text: string): void;
  /** Ends what is shown in place. */
  close(): void;
}

/** What a display needs to know of a run. */
export interface DisplayOptions {
  /** Iteration the run begins behind, and its last one. */
  readonly from: number;
  readonly to: number;
  readonly episodesPerUpdate: number;
  readonly logFrequency: number;
  /** Takes the finished lines. */
  readonly write: (line: string) => void;
}

/** Bars on a terminal, lines otherwise. */
export function progressDisplay(options: DisplayOptions, terminal: NodeJS.WriteStream | undefined): ProgressDisplay {
  return terminal === undefined ? lineDisplay(options) : barDisplay(options, terminal);
}

/** Sweeps between two lines about the preparation of the evaluation. */
const sweepsPerLine = 50;

function lineDisplay({ from, to, episodesPerUpdate, logFrequency, write }: DisplayOptions): ProgressDisplay {
  const pace = new Pace(from, to, episodesPerUpdate);
  return {
    note: write,
    onEvaluationSweep(done, of) {
      if (done % sweepsPerLine === 0 || done === of)
        write(`evaluation prompts: rewards of all actions on ${done}/${of}`);
    },
    onEvaluationReady: () => pace.start(),
    onIteration(batch, loss) {
      const { iteration } = batch;
      pace.reach(iteration);
      if (iteration % logFrequency !== 0 && iteration !== to) return;
      const numbers = `reward ${batch.avgReward.toFixed(3)}  loss ${shownLoss(loss)}`;
      write(`iteration ${iteration}/${to}  ${numbers}  ${pace.rate()} episodes/s  ETA ${pace.eta()}`);
    },
    onEvaluation(line) {
      const { best_fixed: best, oracle } = line.baselines;
      const beside =
        best === undefined || oracle === undefined
          ? ''
          : `  (best fixed ${best.mean.toFixed(3)}, oracle ${oracle.mean.toFixed(3)})`;
      write(`evaluation after iteration ${line.iteration}: greedy reward ${line.eval_avg_reward.toFixed(3)}${beside}`);
    },
    close: () => undefined,
  };
}

function barDisplay(
  { from, to, episodesPerUpdate, write }: DisplayOptions,
  terminal: NodeJS.WriteStream,
): ProgressDisplay {
  const pace = new Pace(from, to, episodesPerUpdate);
  let bar: cliProgress.SingleBar | undefined;
  const shown = { reward: '-', loss: '-', greedy: '-', rate: '-', left: '-' };
  const open = (format: string, total: number, value: number) => {
    close();
    bar = new cliProgress.SingleBar(
      { format, stream: terminal, hideCursor: true, fps: 10 },
      cliProgress.Presets.shades_classic,
    );
    bar.start(total, value, shown);
  };
  const close = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    note(text) {
      close();
      write(text);
    },
    onEvaluationSweep(done, of) {
      if (bar === undefined) open('evaluation prompts {bar} {value}/{total}  ETA {eta_formatted}', of, 0);
      bar!.update(done);
    },
    onEvaluationReady() {
      pace.start();
      const numbers = 'reward {reward}  loss {loss}  greedy {greedy}';
      open(`training {bar} {value}/{total}  {rate} episodes/s  ETA {left}  ${numbers}`, to, from);
    },
    onIteration(batch, loss) {
      pace.reach(batch.iteration);
      Object.assign(shown, {
        reward: batch.avgReward.toFixed(3),
        loss: shownLoss(loss),
        rate: pace.rate(),
        left: pace.eta(),
      });
      bar?.update(batch.iteration, shown);
    },
    onEvaluation(line) {
      shown.greedy = line.eval_avg_reward.toFixed(3);
      bar?.update(shown);
    },
    close,
  };
}

/** How fast iterations are done, over the whole run so far. */
class Pace {
  readonly #from: number;
  readonly #to: number;
  readonly #episodesPerUpdate: number;
  #start = performance.now();
  #at: number;

  constructor(from: number, to: number, episodesPerUpdate: number) {
    this.#from = from;
    this.#to = to;
    this.#at = from;
    this.#episodesPerUpdate = episodesPerUpdate;
  }

  start(): void {
    this.#start = performance.now();
  }

  reach(iteration: number): void {
    this.#at = iteration;
  }

  /** Episodes per second. */
  rate(): string {
    return (this.#episodesPerUpdate / this.#secondsPerIteration()).toPrecision(3);
  }

  /** Time to the last iteration, evaluations included in so far as they came before. */
  eta(): string {
    const seconds = Math.round(this.#secondsPerIteration() * (this.#to - this.#at));
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const [h, m, s] = parts.map((part) => String(part).padStart(2, '0'));
    return `${h}:${m}:${s}`;
  }

  #secondsPerIteration(): number {
    const done = Math.max(1, this.#at - this.#from);
    return Math.max(1e-6, (performance.now() - this.#start) / 1000 / done);
  }
}

function shownLoss(loss: number | undefined): string {
  return loss === undefined ? '-' : loss.toFixed(4);
}
