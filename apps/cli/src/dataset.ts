import { nearest, usageError } from '@a2sf/config';

interface Subcommand {
  readonly description: string;
  run(argv: readonly string[]): Promise<void>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  needle: {
    description: 'make prompts that hide a needle in a haystack, over a grid of lengths and depths',
    run: async (argv) => (await import('./dataset-needle.js')).needle(argv),
  },
  split: {
    description: 'split data files into train, validation and test by the content of the prompts',
    run: async (argv) => (await import('./dataset-split.js')).split(argv),
  },
  build: {
    description: 'compute the rewards of every action on every prompt once, into a store',
    run: async (argv) => (await import('./dataset-build.js')).build(argv),
  },
  score: {
    description: 'add rewards to a store from its texts; nothing is generated',
    run: async (argv) => (await import('./dataset-score.js')).score(argv),
  },
};

/** `a2sf dataset`: prompts and stores of rewards. Throws a usage error for an unknown word. */
export async function dataset([name, ...rest]: readonly string[]): Promise<void> {
  if (name === '--help' || name === '-h') {
    const lines = Object.entries(subcommands).map(([word, { description }]) => `  ${word.padEnd(6)}  ${description}`);
    process.stdout.write(`Usage: a2sf dataset <command> [flags]\n\nCommands:\n${lines.join('\n')}\n`);
    return;
  }
  const known = Object.keys(subcommands);
  if (name === undefined) throw usageError([`dataset: name one of ${known.join(', ')}`]);
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand === undefined) {
    const meant = nearest(name, known);
    const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`;
    throw usageError([`${name.slice(0, 60)}: unknown dataset command, ${hint}`]);
  }
  await subcommand.run(rest);
}

/** The words before the first flag as values of a flag: `split a.jsonl b.jsonl --seed 1`. */
export function wordsAs(flag: string, argv: readonly string[]): string[] {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = argv.slice(0, end < 0 ? argv.length : end);
  return words.length === 0 ? [...argv] : [`--${flag}`, ...words, ...argv.slice(words.length)];
}
