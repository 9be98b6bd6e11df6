const described =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json$|^(merges|vocab)\.txt$|^chat_template\.jinja$|^[\w.-]+\.model$/;

/** What a sentence encoder says about its pooling and its longest input: see sentence-transformers.ts. */
const sentenceEncoder = /^(modules|sentence_bert_config)\.json$|^[0-9]{1,2}_[\w-]{1,64}\/config\.json$/;

/** The ways in which a model's weights lie in a folder, best first: what must be there, and what is then needed. */
const weights: readonly { readonly mark: string; readonly needed: RegExp }[] = [
  { mark: 'model.safetensors', needed: /^model\.safetensors$/ },
  { mark: 'model.safetensors.index.json', needed: /^(?!consolidated)[\w.-]+\.safetensors$/ },
  { mark: 'pytorch_model.bin', needed: /^pytorch_model\.bin$/ },
  { mark: 'pytorch_model.bin.index.json', needed: /^pytorch_model[\w.-]*\.bin$/ },
  // An export, with its external data beside it: model.onnx_data, model.onnx.data.
  { mark: 'onnx/model.onnx', needed: /^onnx\/model\.onnx[\w.-]*$/ },
];

/** Folders of a repository that may hold something needed; nothing is listed deeper than in them. */
export function mayHoldNeededFiles(folder: string): boolean {
  return folder === 'onnx' || sentenceEncoder.test(`${folder}/config.json`);
}

/**
 * The files that a model is loaded from, of all that lie in its repository: config, tokenizer, chat template, a sentence
 * encoder's modules, and one form of the weights, safetensors before PyTorch's before an ONNX export. Never code.
 * config.json comes last: a snapshot that holds it is complete. Undefined when config.json or the weights are missing.
 */
export function neededFiles(names: readonly string[]): string[] | undefined {
  const form = weights.find(({ mark }) => names.includes(mark));
  if (form === undefined || !names.includes('config.json')) return undefined;
  const needed = (name: string) =>
    described.test(name) || sentenceEncoder.test(name) || name === form.mark || form.needed.test(name);
  return [...names.filter((name) => name !== 'config.json' && needed(name)).toSorted(), 'config.json'];
}
