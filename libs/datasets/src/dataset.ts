/** A set of prompts of one kind. */
export interface Dataset {
  /** Name, as rows and metrics call it. */
  readonly name: string;
  /** The prompt, with `{context}` and `{input}` where a row's texts go. */
  readonly template: string;
  /** Tokens to generate for an answer. */
  readonly maxNewTokens: number;
}

/** The prompt of a row: `{context}` and `{input}` are replaced, braces inside the values are left alone. */
export function fillTemplate(template: string, values: { readonly context: string; readonly input: string }): string {
  return template.replace(/\{(context|input)\}/g, (_, name: 'context' | 'input') => values[name]);
}
