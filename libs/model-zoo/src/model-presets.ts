/** A language model by a short name. */
export interface ModelPreset {
  /** Its id on the Hugging Face hub. */
  readonly hubId: string;
  /** Longest prompt in tokens that the preset is used with. */
  readonly maxPromptTokens: number;
}

/** The short names that `--model_name` takes for language models. */
export const modelPresets: Readonly<Record<string, ModelPreset>> = {
  llama: { hubId: 'huggyllama/llama-7b', maxPromptTokens: 1500 },
  llama2: { hubId: 'meta-llama/Llama-2-7b-chat-hf', maxPromptTokens: 3500 },
  llama3: { hubId: 'meta-llama/Meta-Llama-3-8B-Instruct', maxPromptTokens: 7500 },
  opt: { hubId: 'facebook/opt-6.7b', maxPromptTokens: 1500 },
  qwen2: { hubId: 'Qwen/Qwen2-7B-Instruct', maxPromptTokens: 3500 },
};
