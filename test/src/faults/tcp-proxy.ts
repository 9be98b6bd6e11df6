import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What happens to the bytes of the connections that are open now. */
type Mode = 'pass' | 'swallow-answers' | 'swallow-all';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  mode: Mode;
}

/** A network between a client and a server on loopback, for tests to break. */
export class TcpProxy {
  readonly address: string;
  /** Where new connections lead: `host:port`. */
  target: string;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.target = target;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (near) => this.#join(near));
  }

  static async to(target: string): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  /** From now on requests arrive, but no answer of the connections that are open. */
  swallowAnswers(): void {
    for (const pair of this.#pairs) pair.mode = 'swallow-answers';
  }

  /** From now on nothing of the connections that are open arrives anywhere, and nobody is told. */
  blackHole(): void {
    for (const pair of this.#pairs) pair.mode = 'swallow-all';
  }

  /** Resets the connections that are open. */
  cut(): void {
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.destroy();
    await once(this.#server, 'close');
  }

  #join(near: Socket): void {
    const [host, port] = this.target.split(':') as [string, string];
    const pair: Pair = { near, far: connect(Number(port), host), mode: 'pass' };
    const { far } = pair;
    this.#pairs.add(pair);
    near.on('data', (bytes) => pair.mode !== 'swallow-all' && far.write(bytes));
    far.on('data', (bytes) => pair.mode === 'pass' && near.write(bytes));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        if (pair.mode === 'pass') other.destroy();
        if (near.destroyed && far.destroyed) this.#pairs.delete(pair);
      });
    }
  }
}
