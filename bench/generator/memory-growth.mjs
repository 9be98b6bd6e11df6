// Does a generator's memory grow with the requests that it has answered?
import { callServerStream, callUnary } from '@a2sf/grpc-runtime';
import { collecting, startGenerator } from '../start-generator.mjs';

const longest = 256;
const inFlight = 4;
/** Growth is counted from so many requests on; the half shows whether it goes on, or buffers were still being made. */
const settled = 200;

/**
 * Resident MB after `settled`, after half and after all `requests`: `asIs`, and `collected`, after a collection of all threads'
 * garbage, which V8 leaves lying for thousands of small requests. Requests are drawn from a fixed seed: texts of 8..256
 * tokens by every method and several budgets, sweeps, scores, and calls that are given up.
 */
export async function memoryGrowth(modelName, threads, requests) {
  const generator = await startGenerator({ modelName, threads, nodeFlags: collecting });
  const { client, info, ids, timeoutMs } = generator;
  const methods = info.methods.filter((method) => method !== 'sigmoid' && method !== 'full');
  const below = randomBelow(1);
  let next = 0;
  let cancelled = 0;

  async function one() {
    const prompt = { tokenIds: { ids: ids(8 + below(Math.min(longest, info.maxPromptTokens) - 8), below(1000)) } };
    const budget = [16, 32, 64, 128][below(4)];
    const action = { a: [0, 0.01, 0.1, 10][below(4)], b: 1 + below(128) };
    const maxNewTokens = 1 + below(8);
    const kind = below(10);
    if (kind === 0) {
      const request = { prompt, budget, actions: [action, { a: 10, b: 16 }, { a: 0, b: 1 }], maxNewTokens };
      await callUnary(client, 'sweep', request, { timeoutMs });
    } else if (kind === 1) {
      const request = { prompt, continuation: { tokenIds: { ids: ids(4) } }, compression: { action, budget } };
      await callUnary(client, 'scoreContinuation', request, { timeoutMs });
    } else {
      const own = [undefined, { action, budget }, { method: methods[below(methods.length)], budget }];
      const request = { prompt, compression: own[below(3)], maxNewTokens };
      const stop = kind === 2 ? AbortSignal.timeout(1 + below(20)) : undefined;
      try {
        for await (const _ of callServerStream(client, 'generate', request, { timeoutMs, signal: stop }));
      } catch (error) {
        if (stop?.aborted !== true) throw error;
        cancelled++;
      }
    }
  }

  async function answer(until) {
    const worker = async () => {
      while (next < until) {
        next++;
        await one();
      }
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
    const asIs = generator.memory('VmRSS');
    await generator.collect();
    return { asIs, collected: generator.memory('VmRSS') };
  }
  const start = await answer(Math.min(settled, requests));
  const half = await answer(Math.max(settled, Math.floor(requests / 2)));
  const end = await answer(requests);
  await generator.stop();
  return { start, half, end, settled, cancelled, model: info.model };
}

/** Whole numbers 0..n-1 from a linear congruential generator: the same requests in every run. */
function randomBelow(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}
