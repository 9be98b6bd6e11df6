/**
 * Lists of floats at one place in messages of a type, moved as blocks. The general codec of protobufjs makes an object of
 * every number that it writes and lets arrays grow one by one where it reads: for embeddings that is nearly all the work.
 * Here it encodes and decodes the message without them; their bytes, the same on the wire, are put in and cut out beside it.
 */
export interface FloatLists {
  /** Fields from the message to the list. */
  readonly path: readonly { readonly name: string; readonly number: number }[];
}

/** What a general codec does; objects of any message. */
export interface MessageCodec {
  readonly serialize: (message: object) => Buffer;
  readonly deserialize: (bytes: Buffer) => object;
}

type Fields = Record<string, unknown>;

/** The same messages and the same bytes as `general`, faster. What it does not know well it leaves to `general`. */
export function withFloatLists(general: MessageCodec, { path }: FloatLists): MessageCodec {
  const names = path.map(({ name }) => name);
  const numbers = path.map(({ number }) => number);
  return {
    serialize(message) {
      const lists: (readonly number[])[] = [];
      const emptied = emptyLists(message as Fields, names, lists);
      const place = (rest: Uint8Array[], i: number): Uint8Array[] => [
        ...floatField(numbers.at(-1)!, lists[i]!),
        ...rest,
      ];
      const parts = emptied === undefined ? undefined : rewrite(general.serialize(emptied), numbers, place);
      return parts === undefined ? general.serialize(message) : Buffer.concat(parts);
    },
    deserialize(bytes) {
      const lists: number[][] = [];
      const cut = (rest: Uint8Array[], _: number, list: number[]): Uint8Array[] => {
        lists.push(list);
        return rest;
      };
      const parts = rewrite(bytes, numbers, cut);
      if (parts === undefined) return general.deserialize(bytes);
      const message = general.deserialize(Buffer.concat(parts));
      return fillLists(message as Fields, names, lists) ? message : general.deserialize(bytes);
    },
  };
}

/** A copy whose lists are empty; they come to `lists` in their order. Undefined where one is not a list of numbers. */
function emptyLists(message: Fields, [name, ...deeper]: string[], lists: (readonly number[])[]): Fields | undefined {
  const value = message[name!];
  if (deeper.length === 0) {
    if (value !== undefined && !Array.isArray(value)) return undefined;
    lists.push((value ?? []) as number[]);
    return { ...message, [name!]: [] };
  }
  if (value === undefined || value === null) return message;
  const copies = (Array.isArray(value) ? value : [value]).map((each: unknown) =>
    typeof each === 'object' && each !== null ? emptyLists(each as Fields, deeper, lists) : undefined,
  );
  if (copies.includes(undefined)) return undefined;
  return { ...message, [name!]: Array.isArray(value) ? copies : copies[0] };
}

/** Puts the lists where `emptyLists` took them; false where their number is not that of the places. */
function fillLists(message: Fields, names: readonly string[], lists: readonly number[][]): boolean {
  let places: Fields[] = [message];
  for (const name of names.slice(0, -1)) {
    places = places.flatMap((place) => [(place[name] ?? []) as Fields[]].flat());
  }
  if (places.length !== lists.length) return false;
  for (const [i, place] of places.entries()) place[names.at(-1)!] = lists[i]!;
  return true;
}

/** Parts of the innermost message, its place in their order and the floats that were cut out of it -> its new parts. */
type Rewrite = (rest: Uint8Array[], index: number, list: number[]) => Uint8Array[];

/** The parts of a message with its innermost messages rewritten; undefined for bytes that are not plainly such a message. */
function rewrite(bytes: Uint8Array, numbers: readonly number[], leaf: Rewrite): Uint8Array[] | undefined {
  let index = 0;
  let at = 0;

  function varint(end: number): number {
    let value = 0;
    for (let shift = 0; shift < 28 && at < end; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return NaN;
  }

  function message(end: number, depth: number): Uint8Array[] | undefined {
    const isInnermost = depth === numbers.length - 1;
    const parts: Uint8Array[] = [];
    let list: number[] | undefined;
    let copied = at; // what lies before it is in the parts
    while (at < end) {
      const start = at;
      const tag = varint(end);
      if (Number.isNaN(tag)) return undefined;
      const isOurs = tag >>> 3 === numbers[depth];
      if (isOurs && (tag & 7) !== 2) return undefined; // such as floats that are not packed
      const length = (tag & 7) === 2 ? varint(end) : widthOf(tag & 7, end);
      const to = at + length;
      if (!(to <= end)) return undefined;
      if (isOurs) {
        parts.push(bytes.subarray(copied, start));
        if (isInnermost) {
          if (list !== undefined || length % 4 !== 0) return undefined;
          list = floatsOf(bytes, at, length);
        } else {
          const inner = message(to, depth + 1);
          if (inner === undefined) return undefined;
          parts.push(
            header(
              numbers[depth]!,
              inner.reduce((sum, part) => sum + part.length, 0),
            ),
            ...inner,
          );
        }
        copied = to;
      }
      at = to;
    }
    parts.push(bytes.subarray(copied, end));
    return isInnermost ? leaf(parts, index++, list ?? []) : parts;
  }

  /** Bytes of a value that tells no length. */
  function widthOf(wire: number, end: number): number {
    if (wire === 1) return 8;
    if (wire === 5) return 4;
    if (wire !== 0) return NaN;
    let to = at;
    while (to < end && bytes[to]! >= 0x80) to++;
    return to + 1 - at;
  }

  return message(bytes.length, 0);
}

function floatsOf(bytes: Uint8Array, at: number, length: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
  const list = Array<number>(length / 4);
  for (let i = 0; i < list.length; i++) list[i] = view.getFloat32(4 * i, true);
  return list;
}

function floatField(number: number, list: readonly number[]): Uint8Array[] {
  if (list.length === 0) return [];
  const view = new DataView(new ArrayBuffer(4 * list.length));
  for (let i = 0; i < list.length; i++) view.setFloat32(4 * i, list[i]!, true);
  return [header(number, view.byteLength), new Uint8Array(view.buffer)];
}

/** Tag and length of a value that tells its length. */
function header(number: number, length: number): Uint8Array {
  const bytes: number[] = [];
  for (let value of [(number << 3) | 2, length]) {
    for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
    bytes.push(value);
  }
  return Uint8Array.from(bytes);
}
