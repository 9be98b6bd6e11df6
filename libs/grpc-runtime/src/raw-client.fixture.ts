import { once } from 'node:events';
import { type ClientHttp2Session, type IncomingHttpHeaders, connect } from 'node:http2';

// A client below gRPC, for requests that no gRPC client sends.

/** What a raw call was answered with. */
export interface RawAnswer {
  /** grpc-status, or the HTTP status when there is none. */
  readonly status: number;
  readonly message: string;
  readonly reason: string;
  /** Code of the RST_STREAM that closed the stream; 0 = none or NO_ERROR. */
  readonly rstCode: number;
}

/** A gRPC frame: compressed flag, length, message. */
export function frame(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** One call on a session of its own; `end: false` leaves the request unfinished. */
export async function rawCall(
  port: number,
  path: string,
  body: Uint8Array,
  o: { readonly end?: boolean; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<RawAnswer> {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  try {
    const headers = {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...o.headers,
    };
    const stream = session.request(headers, { endStream: false });
    stream.on('error', () => {});
    let all: IncomingHttpHeaders = {};
    stream.on('response', (received) => (all = { ...all, ...received }));
    stream.on('trailers', (received) => (all = { ...all, ...received }));
    stream.resume();
    stream.write(body);
    if (o.end !== false) stream.end();
    await once(stream, 'close');
    return {
      status: Number(all['grpc-status'] ?? all[':status'] ?? -1),
      message: decodeURI(String(all['grpc-message'] ?? '')),
      reason: String(all['a2sf-reason'] ?? ''),
      rstCode: stream.rstCode,
    };
  } finally {
    session.destroy();
  }
}
