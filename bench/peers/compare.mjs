// The peers' figures beside ours: rows for the table of bench/generator.mjs.
import { readFileSync } from 'node:fs';

/** The lines that the scripts of this folder printed, one peer a line. */
export function readPeers(path) {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line));
}

/**
 * Ours against the faster one of the peers that compute with the same weights: `speeds` are our tokens per second by
 * prompt length, for float32 prefill and decoding and for int4 decoding.
 */
export function compareWithPeers(peers, { prefill, decode, int4Decode }) {
  const float32 = peers.filter(({ weights }) => weights === 'float32');
  const fourBits = peers.filter(({ weights }) => weights.startsWith('Q4_'));
  return [
    ...rows('prefill', 'prefill_tokens_per_second', prefill, float32),
    ...rows('decode, full cache', 'decode_tokens_per_second', decode, float32),
    ...rows('decode with int4 weights, full cache', 'decode_tokens_per_second', int4Decode, fourBits),
  ];
}

function rows(what, field, speeds, peers) {
  return Object.entries(speeds).flatMap(([length, ours]) => {
    const measured = peers.filter((peer) => peer[field][length] !== undefined);
    if (measured.length === 0) return [];
    const all = measured.map((peer) => `${peer.peer} ${peer.weights} ${peer[field][length].toFixed(1)}`);
    const best = Math.max(...measured.map((peer) => peer[field][length]));
    const detail = `ours ${ours.toFixed(1)} tokens/s; ${all.join(', ')}`;
    return [[`${what} of ${length}, ours / better peer`, `${(ours / best).toFixed(2)}x`, detail]];
  });
}
