import type { CompressionMethod } from '../compression-method.js';

/** kept = 0..n-1: the uncompressed cache, the baseline of every comparison. A budget may be given and has no effect. */
export const full: CompressionMethod = {
  name: 'full',
  parameters: [],
  evictsNothing: true,
  defaultRecent: () => 0,
};
