import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const commit = '0123456789abcdef0123456789abcdef01234567';

/** A hub of one model, `owner/model`, that speaks the three endpoints a download needs; it can be told to misbehave. */
export class HubServer {
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  /** Status of every answer, when not 0. */
  status = 0;
  /** File whose bytes are sent changed. */
  corrupt: string | undefined;
  /** File that is cut off in its middle, once. */
  cutOff: string | undefined;
  /** Address of the listing's second page. */
  nextPage: string | undefined;
  endpoint = '';
  private readonly server = createServer((request, response) => this.answer(request, response));

  constructor(readonly files: Record<string, Buffer>) {}

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.endpoint = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url!.split('?')[0]!;
    const range = request.headers.range;
    this.requests.push(range === undefined ? path : `${path} ${range}`);
    this.authorizations.push(request.headers.authorization);
    if (this.status !== 0) return void response.writeHead(this.status).end();
    if (path === '/api/models/owner/model/revision/main') return json(response, { sha: commit });
    if (this.nextPage !== undefined && path.includes('/tree/')) {
      response.setHeader('Link', `<${this.nextPage}>; rel="next"`);
    }
    if (path === `/api/models/owner/model/tree/${commit}`) return json(response, this.listing());
    const resolved = `/owner/model/resolve/${commit}/`;
    const name = path.startsWith(resolved) ? path.slice(resolved.length) : '';
    const file = this.files[name];
    if (file === undefined) return void response.writeHead(404).end();
    this.send(response, name, file, range);
  }

  private send(response: ServerResponse, name: string, file: Buffer, range: string | undefined): void {
    const bytes = Buffer.from(file);
    if (name === this.corrupt) bytes[0]! ^= 1;
    const [, from = '0', to = String(file.length - 1)] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    const part = bytes.subarray(Number(from), Number(to) + 1);
    response.writeHead(range === undefined ? 200 : 206, {
      ETag: '"x"',
      'Content-Length': part.length,
      ...(range === undefined ? {} : { 'Content-Range': `bytes ${from}-${to}/${file.length}` }),
    });
    if (name === this.cutOff && part.length > 1) {
      this.cutOff = undefined;
      response.write(part.subarray(0, part.length >> 1), () => setImmediate(() => response.destroy()));
      return;
    }
    response.end(part);
  }

  private listing(): unknown[] {
    const files = Object.entries(this.files).map(([path, bytes]) => {
      const base = { type: 'file', path, size: bytes.length };
      const gitOid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
      if (!/\.(safetensors|bin)$/.test(path)) return { ...base, oid: gitOid };
      const lfs = { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 130 };
      return { ...base, oid: 'f'.repeat(40), lfs };
    });
    return [...files, { type: 'directory', path: 'original', size: 0, oid: 'e'.repeat(40) }];
  }
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}
