/** A class or function that a pickle names. It is a name and nothing else. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A call that a pickle asks for, of a function whose calls the reader was told to record. It is not made. */
export class PickleCall {
  readonly name: string;
  readonly args: readonly PickleValue[];

  constructor(name: string, args: readonly PickleValue[]) {
    this.name = name;
    this.args = args;
  }
}

/** An instance of some class: its name, what it was made from, and its state. */
export class PickleObject {
  readonly className: string;
  readonly args: readonly PickleValue[];
  state: PickleValue = null;

  constructor(className: string, args: readonly PickleValue[]) {
    this.className = className;
    this.args = args;
  }
}

/** Something kept outside of the pickle, by the id it has there. */
export class PickleReference {
  readonly id: PickleValue;

  constructor(id: PickleValue) {
    this.id = id;
  }
}

/**
 * What a pickle holds, as plain data. Integers beyond 2^53 are bigints; a tuple is a frozen array; a dict is a Map, so
 * that no key (`__proto__`) means anything special.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | PickleCall
  | PickleObject
  | PickleReference;

/** The values directly inside a value. */
export function childrenOf(value: PickleValue): readonly PickleValue[] {
  if (Array.isArray(value)) return value as readonly PickleValue[];
  if (value instanceof Map) return [...value].flat(1);
  if (value instanceof PickleCall) return value.args;
  if (value instanceof PickleObject) return [...value.args, value.state];
  return value instanceof PickleReference ? [value.id] : [];
}
