import { isA2sfError } from '@a2sf/errors';
import type { StoredReward } from '@a2sf/reward-store';
import { scorerNamed } from '@a2sf/rewards';
import { suiteVersion } from './suite-version.js';

/** Rewards as a manifest names them: with the encoder that those have an interest in which embed texts. */
export function storedRewards(rules: readonly { readonly name: string }[], encoderId: string): StoredReward[] {
  return rules.map(({ name }) => {
    const used = name !== 'dataset' && embedsTexts(name);
    return { name, encoder_id: used ? encoderId : '', code_version: suiteVersion() };
  });
}

/** False for a metric that the reward service alone knows. */
function embedsTexts(name: string): boolean {
  try {
    return scorerNamed(name).needsEmbeddings;
  } catch (error) {
    if (isA2sfError(error)) return false;
    throw error;
  }
}
