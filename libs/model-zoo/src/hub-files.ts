const described =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json$|^(merges|vocab)\.txt$|^chat_template\.jinja$|^[\w.-]+\.model$/;

/** The ways in which a model's weights lie in a folder, best first: what must be there, and what is then needed. */
const weights: readonly { readonly mark: string; readonly needed: RegExp }[] = [
  { mark: 'model.safetensors', needed: /^model\.safetensors$/ },
  { mark: 'model.safetensors.index.json', needed: /^(?!consolidated)[\w.-]+\.safetensors$/ },
  { mark: 'pytorch_model.bin', needed: /^pytorch_model\.bin$/ },
  { mark: 'pytorch_model.bin.index.json', needed: /^pytorch_model[\w.-]*\.bin$/ },
];

/**
 * The files that a model is loaded from, of all that lie in its repository's root: config, tokenizer, chat template and
 * one form of the weights, safetensors before PyTorch's. Never code. config.json comes last: a snapshot that holds it is
 * complete. Undefined when config.json or the weights are missing.
 */
export function neededFiles(names: readonly string[]): string[] | undefined {
  const form = weights.find(({ mark }) => names.includes(mark));
  if (form === undefined || !names.includes('config.json')) return undefined;
  const needed = (name: string) => described.test(name) || name === form.mark || form.needed.test(name);
  return [...names.filter((name) => name !== 'config.json' && needed(name)).toSorted(), 'config.json'];
}
