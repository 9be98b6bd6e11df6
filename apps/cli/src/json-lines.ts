/** Values as the bytes of a file of one JSON value a line, made while they are written. */
export function* jsonLines(values: Iterable<object>): Generator<Uint8Array> {
  for (const value of values) yield Buffer.from(`${JSON.stringify(value)}\n`);
}
