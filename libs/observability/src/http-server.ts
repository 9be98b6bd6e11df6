import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { A2sfError } from '@a2sf/errors';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';

/** A running HTTP server of a process. */
export interface HttpServer {
  readonly port: number;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** What the HTTP server needs. */
export interface HttpOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly metrics: Metrics;
  /** Asked at every `/readyz`. */
  readonly ready: () => boolean;
  readonly log: Logger;
}

/** Milliseconds a client may take to send its request, and to read the answer. */
const requestTimeoutMs = 10_000;
const maxConnections = 64;
const maxHeaderBytes = 8192;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

async function answerTo(request: IncomingMessage, o: HttpOptions): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, body: 'only GET\n' };
  if (request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) !== 0) {
    return { status: 413, body: 'a request here has no body\n' };
  }
  const path: string = (request.url ?? '/').replace(/\?.*$/s, '');
  switch (path) {
    case '/healthz':
      return { status: 200, body: 'ok\n' };
    case '/readyz':
      return o.ready() ? { status: 200, body: 'ready\n' } : { status: 503, body: 'not ready\n' };
    case '/metrics':
      return { status: 200, body: await o.metrics.registry.metrics(), type: o.metrics.registry.contentType };
    default:
      return { status: 404, body: 'not found\n' };
  }
}

async function respond(request: IncomingMessage, response: ServerResponse, o: HttpOptions): Promise<void> {
  const { status, body, type = 'text/plain; charset=utf-8' } = await answerTo(request, o);
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    // What follows a refused request on its connection is not read.
    ...(status === 405 || status === 413 ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/**
 * Serves `/metrics`, `/healthz` (200 while the process lives) and `/readyz` (200 or 503); 404 for all else. Requests have
 * no body, headers of at most 8 KiB, and 10 s to be sent; slow readers are cut off.
 *
 * @throws A2sfError FAILED_PRECONDITION, reason `port-in-use`, naming `--http_port`.
 */
export async function startHttp(o: HttpOptions): Promise<HttpServer> {
  const server = createServer(
    { maxHeaderSize: maxHeaderBytes, headersTimeout: requestTimeoutMs, requestTimeout: requestTimeoutMs },
    (request, response) => {
      respond(request, response, o).catch((error: unknown) => {
        o.log.error({ err: error }, 'HTTP request failed');
        response.destroy();
      });
    },
  );
  server.maxConnections = maxConnections;
  server.setTimeout(requestTimeoutMs, (socket) => socket.destroy());
  server.listen(o.port, o.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, `${o.host}:${o.port}`);
  }
  server.on('error', (error) => o.log.error({ err: error }, 'HTTP server failed'));
  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      (closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      })),
  };
}

function listenError(error: unknown, address: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const known = new Map([
    ['EADDRINUSE', `--http_port: ${address} is already in use`],
    ['EACCES', `--http_port: not allowed to listen on ${address}`],
    ['EADDRNOTAVAIL', `--host: ${address} is not an address of this machine`],
    ['ENOTFOUND', `--host: ${address} is not known`],
  ]).get(code);
  if (known === undefined) return error;
  const reason = code === 'EADDRINUSE' ? 'port-in-use' : 'cannot-listen';
  return new A2sfError('FAILED_PRECONDITION', known, { field: 'http_port', reason, cause: error });
}
