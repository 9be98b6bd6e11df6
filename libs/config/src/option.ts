import type { z } from 'zod';

/** One setting: what it accepts, what it means and where it can be given. */
export interface Option<S extends z.ZodType = z.ZodType> {
  /** Parses and checks the value; flags and environment deliver strings (a list: string[]), files deliver JSON values. */
  readonly schema: S;
  /** One line, with the unit. */
  readonly description: string;
  /** Value when nobody gives one; absent: the option is optional and its value undefined. */
  readonly default?: z.output<S>;
  /** Heading in `--help`. */
  readonly group?: string;
  /** Takes several values: `--gpus 0 1 2`. */
  readonly list?: boolean;
  /** True for a boolean: `--x`, `--no-x` and `--x=false` are accepted. Set by {@link option} for the `boolean` schema. */
  readonly boolean?: boolean;
  /** Name behind `--`, in snake_case; default: the key in snake_case. The kebab-case spelling is accepted too. */
  readonly flag?: string;
  /** Environment variable; default: `A2SF_` + the key in SNAKE_CASE. */
  readonly env?: string;
}

/** The options of one command, by the key their values are read under. */
export type Options = Readonly<Record<string, Option>>;

/** The values of resolved options: one with a default is never undefined. */
export type Resolved<O extends Options> = {
  readonly [K in keyof O]: O[K] extends { readonly default: unknown }
    ? z.output<O[K]['schema']>
    : z.output<O[K]['schema']> | undefined;
};

/** Declares one option and keeps its type: whether it has a default decides whether its value can be undefined. */
export function option<S extends z.ZodType>(
  declaration: Option<S> & { readonly default: z.output<S> },
): Option<S> & { readonly default: z.output<S> };
export function option<S extends z.ZodType>(declaration: Option<S>): Option<S>;
export function option<S extends z.ZodType>(declaration: Option<S>): Option<S> {
  return declaration;
}
