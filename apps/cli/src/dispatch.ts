import { readFileSync } from 'node:fs';
import { nearest, usageError } from '@a2sf/config';
import { run as runTrainer } from '@a2sf/trainer-app';
import { serviceNames, type ServiceName } from './service-runtime.js';
import { demoProfile } from './demo-profile.js';
import { startLocalSuite } from './local-suite.js';

/** A command of `a2sf`. */
interface Command {
  readonly description: string;
  run(argv: readonly string[]): Promise<void>;
}

/** Each service is loaded when it is served: the others' native libraries stay out of the process. */
const services: Readonly<Record<ServiceName, (argv: readonly string[]) => Promise<void>>> = {
  encoder: async (argv) => (await import('@a2sf/encoder-app')).run(argv),
  generator: async (argv) => (await import('@a2sf/generator-app')).run(argv),
  reward: async (argv) => (await import('@a2sf/reward-app')).run(argv),
  policy: async (argv) => (await import('@a2sf/policy-app')).run(argv),
};

const commands: Readonly<Record<string, Command>> = {
  train: {
    description: 'train a policy, with services that are started for it or with those of given addresses',
    run: (argv) => runTrainer(argv, { startSuite: startLocalSuite }),
  },
  demo: {
    description: 'train and evaluate on the embedded models: train, with the profile of their card',
    run: (argv) =>
      runTrainer(argv, {
        startSuite: startLocalSuite,
        command: 'a2sf demo',
        description: 'Trains and evaluates a policy on the embedded models: a2sf train with the profile of their card.',
        profile: demoProfile,
      }),
  },
  serve: {
    description: `run one service: ${serviceNames.join(', ')}`,
    run: serve,
  },
  report: {
    description: 'make one HTML page of a run folder, and TensorBoard event files',
    run: async (argv) => (await import('./report.js')).report(argv),
  },
  select: {
    description: 'ask a policy which action it takes for a prompt',
    run: async (argv) => (await import('./clients/select.js')).select(argv),
  },
  explain: {
    description: 'show what a policy thinks of every action for a prompt, and why it takes one',
    run: async (argv) => (await import('./clients/explain.js')).explain(argv),
  },
  generate: {
    description: 'continue a prompt with a full or a compressed cache',
    run: async (argv) => (await import('./clients/generate.js')).generate(argv),
  },
  sweep: {
    description: 'continue a prompt under many actions from one prefill',
    run: async (argv) => (await import('./clients/sweep.js')).sweep(argv),
  },
  inspect: {
    description: 'show which positions of a prompt a compression keeps',
    run: async (argv) => (await import('./clients/inspect.js')).inspect(argv),
  },
  import: {
    description: 'write a policy_N.pt of the reference as policy_N.safetensors',
    run: async (argv) => (await import('./clients/import.js')).importCheckpoint(argv),
  },
  dataset: {
    description: 'make and split prompts, and compute the rewards of every action once: needle, split, build, score',
    run: async (argv) => (await import('./dataset.js')).dataset(argv),
  },
  evaluate: {
    description: 'score what a policy makes of held-out prompts, or estimate its reward from logged decisions',
    run: async (argv) => (await import('./evaluate.js')).evaluate(argv),
  },
  replay: {
    description: 'make logged decisions again and compare them bit for bit',
    run: async (argv) => (await import('./clients/replay.js')).replay(argv),
  },
  doctor: {
    description: 'check this machine, models and running services, and say what to do about what is wrong',
    run: async (argv) => (await import('./doctor.js')).doctor(argv),
  },
};

/** Runs the command that the words name. Throws a usage error for an unknown one. */
export async function dispatch([name, ...rest]: readonly string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return print(overview());
  if (name === '--version') return print(version());
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw unknown('command', name, Object.keys(commands));
  await command.run(rest);
}

async function serve([name, ...rest]: readonly string[]): Promise<void> {
  if (name === undefined) throw usageError([`serve: name one of ${serviceNames.join(', ')}`]);
  if (name === '--help' || name === '-h') return print(`Usage: a2sf serve ${serviceNames.join('|')} [flags]\n`);
  const service = serviceNames.find((known) => known === name);
  if (service === undefined) throw unknown('service', name, serviceNames);
  await services[service](rest);
}

function unknown(kind: string, name: string, known: readonly string[]): Error {
  const meant = nearest(name, known);
  const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`;
  return usageError([`${name.slice(0, 60)}: unknown ${kind}, ${hint}`]);
}

function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { description }]) => `  ${name.padEnd(width)}  ${description}`);
  return [
    'Usage: a2sf <command> [flags]',
    '',
    'Learned KV-cache compression: which keys of a prompt to keep, chosen prompt by prompt.',
    '',
    'Commands:',
    ...lines,
    '',
    'a2sf <command> --help lists the flags of a command, a2sf --version tells the version.',
    '',
  ].join('\n');
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return `${version}\n`;
}

function print(text: string): void {
  process.stdout.write(text);
}
