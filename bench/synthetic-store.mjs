// Builds a reward store of made-up prompts: embeddings of 768 numbers, 60 actions, rewards that follow from the embedding,
// so that there is something to learn.
//
//   npm run build && node bench/synthetic-store.mjs --output DIR [--prompts 1250] [--dimension 768]
//
// A run `a2sf train --from_store DIR` holds a fifth of them out.
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import { buildStore } from '@a2sf/reward-store';

/**
 * r(x, (a, b)) = 1 / (1 + (i_b - t)^2 / 9), where i_b is the place of b among the b values and t in 0..11 grows with the sum
 * of the first eight numbers of the embedding; a tenth of it is noise that follows from prompt and action.
 */
export async function buildSyntheticStore({ folder, prompts: count, dimension }) {
  const space = ActionSpace.default;
  const seeded = (text) => new Random(createHash('sha256').update(text).digest().readUInt32LE(0));
  const places = [...new Set(space.bValues)];
  const embeddings = new Map();
  const embeddingOf = (text) => {
    let found = embeddings.get(text);
    if (found === undefined) {
      const random = seeded(text);
      found = Float32Array.from({ length: dimension }, () => 2 * random.uniform() - 1);
      embeddings.set(text, found);
    }
    return found;
  };
  const rewardOf = (text, index) => {
    const sum = embeddingOf(text)
      .subarray(0, 8)
      .reduce((total, value) => total + value, 0);
    const target = Math.max(0, Math.min(places.length - 1, (places.length - 1) * (0.5 + sum / 8)));
    const off = places.indexOf(space.at(index).b) - target;
    return 0.9 / (1 + (off * off) / 9) + 0.1 * seeded(`${text}|${index}`).uniform();
  };
  await buildStore({
    folder,
    definition: {
      provenance: {
        code_version: 'synthetic',
        model_id: 'synthetic',
        dtype: 'float32',
        encoder_id: 'synthetic',
        embedding_dimension: dimension,
        data: [],
        prompts: count,
        prompts_sha256: '',
        actions: 'all',
        a_values: [...space.aValues],
        b_values: [...space.bValues],
        budget: 128,
        recent: 0,
        max_new_tokens: 16,
        max_prompt_tokens: 0,
      },
      rewards: [{ name: 'rouge_l', encoder_id: '', code_version: 'synthetic' }],
    },
    prompts: Array.from({ length: count }, (_, i) => {
      const text = `prompt ${i}`;
      const hash = createHash('sha256').update(text).digest('hex');
      return { id: `${i}`, dataset: `set${i % 4}`, text, hash, answers: [], allClasses: [], wrap: '' };
    }),
    rewards: [{ name: 'rouge_l', needsLogProbs: false, fullEarnsOne: true, task: (_prompt, { text }) => text }],
    window: 32,
    peers: {
      encode: (texts) =>
        Promise.resolve(texts.map((text) => ({ values: [...embeddingOf(text)], encoderId: 'synthetic' }))),
      sweep: ({ text, actions }) =>
        Promise.resolve({
          full: { text: `${text}|full`, logProbs: [] },
          texts: actions.map((_, index) => ({ text: `${text}|${index}`, logProbs: [] })),
          promptTokens: 1000,
        }),
      score: (tasks) =>
        Promise.resolve(
          tasks.map((task) => {
            const [text, index] = task.split('|');
            return index === 'full' ? 1 : rewardOf(text, Number(index));
          }),
        ),
    },
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: {
      output: { type: 'string' },
      prompts: { type: 'string', default: '1250' },
      dimension: { type: 'string', default: '768' },
    },
  });
  if (values.output === undefined) throw new Error('--output DIR is missing');
  await buildSyntheticStore({
    folder: values.output,
    prompts: Number(values.prompts),
    dimension: Number(values.dimension),
  });
}
