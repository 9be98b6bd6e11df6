/** The services that `a2sf serve` knows. */
export const serviceNames = ['encoder', 'generator', 'reward', 'policy'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** What a service's process starts with. */
export interface ServiceRuntime {
  /** Flags of Node. */
  readonly nodeFlags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** V8 lets the garbage of small requests grow to 48 MB where it is not told less. */
const littleGarbage = ['--max-semi-space-size=2'];

/**
 * Half of what a call leaves behind outlives the first collections of young objects (HTTP/2 streams do), so that each takes as
 * long as the calls before it were many: with the default, 3 ms in every hundredth call. Fewer collections are 0.2 % of calls.
 */
const rareCollections = ['--max-semi-space-size=64'];

/** What child processes of `a2sf`, images and benchmarks start a service with. */
export const serviceRuntime: Readonly<Record<ServiceName, ServiceRuntime>> = {
  // What the making of tables leaves behind goes back to the system: an eighth less resident memory with long texts.
  encoder: { nodeFlags: rareCollections, environment: { MALLOC_MMAP_THRESHOLD_: '1048576' } },
  generator: { nodeFlags: littleGarbage, environment: {} },
  reward: { nodeFlags: littleGarbage, environment: {} },
  // Matrices and uploads come and go, and one arena of malloc gives them back.
  policy: { nodeFlags: littleGarbage, environment: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' } },
};
