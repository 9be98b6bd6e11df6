import { lookup } from 'node:dns/promises';
import { GeneratorServiceClient, type GeneratorServiceStub } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import {
  callUnary,
  channelOptions,
  ClientSecurity,
  connect,
  isLoopback,
  type ConnectOptions,
} from '@a2sf/grpc-runtime';
import type { MemberPool } from './member-pool.js';

/** All numeric addresses of a name. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

/** How members are found. */
export interface MemberOptions {
  /** How they are trusted and told who calls. */
  readonly channel?: Pick<ConnectOptions, 'security'>;
  /** Default: the system's resolver. */
  readonly resolve?: ResolveName;
  /** Which model a server serves. Default: as it says itself. */
  readonly identify?: (client: GeneratorServiceStub) => Promise<string>;
  /** Between two resolutions of the same names. Default 30 s. */
  readonly resolveEveryMs?: number;
}

const systemResolve: ResolveName = async (name) => {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
};

const ownWord = async (client: GeneratorServiceStub): Promise<string> => {
  const { modelId } = await callUnary(client, 'getInfo', {}, { timeoutMs: identifyTimeoutMs });
  return modelId;
};

/** How long a server that has come by a name may take to say which model it serves. */
const identifyTimeoutMs = 10_000;

/**
 * Keeps the members of a pool equal to the servers behind some addresses: `host:port` is one; `dns:///name:port` is as
 * many as its name has addresses now, for gRPC's own balancing would count them as one. Names are resolved again while the
 * pool is used; a server that comes later is taken in when it serves the model of the others.
 */
export class GeneratorMembers {
  readonly #addresses: readonly string[];
  readonly #pool: MemberPool<GeneratorServiceStub>;
  readonly #options: MemberOptions;
  readonly #clients = new Map<string, GeneratorServiceStub>();
  #resolved: Promise<void> | undefined;
  #resolvedAt = 0;
  #modelId: string | undefined;
  #closed = false;

  constructor(addresses: readonly string[], pool: MemberPool<GeneratorServiceStub>, options: MemberOptions = {}) {
    this.#addresses = addresses;
    this.#pool = pool;
    this.#options = options;
    // What cannot be an address is told at once.
    for (const address of addresses) if (nameOf(address) === undefined) this.#clientOf({ target: address });
  }

  /** The model that all members serve; set once it is known. */
  set modelId(id: string) {
    this.#modelId = id;
  }

  /**
   * Waits until the pool has members. Later calls return at once and have names resolved again when that is due. Throws
   * UNAVAILABLE naming `generators` when a name has no address.
   */
  async ready(): Promise<void> {
    if (this.#resolved === undefined) {
      this.#resolvedAt = performance.now();
      this.#resolved = this.#resolve(true);
      this.#resolved.catch(() => (this.#resolved = undefined));
    } else if (this.#isDue()) {
      this.#resolvedAt = performance.now();
      void this.#resolve(false).catch(() => undefined); // those that are known go on
    }
    return this.#resolved;
  }

  close(): void {
    this.#closed = true;
    for (const client of this.#clients.values()) client.close();
  }

  #isDue(): boolean {
    const { resolveEveryMs = 30_000 } = this.#options;
    const named = this.#addresses.some((address) => nameOf(address) !== undefined);
    return named && performance.now() - this.#resolvedAt >= resolveEveryMs;
  }

  async #resolve(first: boolean): Promise<void> {
    const places = (await Promise.all(this.#addresses.map((address) => this.#placesOf(address)))).flat();
    const unique = [...new Map(places.map((place) => [place.target, place])).values()];
    const admitted = await Promise.all(
      unique.map(async (place) => (first || (await this.#mayJoin(place)) ? [this.#clientOf(place)] : [])),
    );
    if (this.#closed) return;
    this.#pool.replace(admitted.flat());
  }

  async #placesOf(address: string): Promise<Place[]> {
    const name = nameOf(address);
    if (name === undefined) return [{ target: address }];
    const { resolve = systemResolve } = this.#options;
    const found = await resolve(name.host).catch((cause: unknown) => {
      throw unresolved(address, cause);
    });
    if (found.length === 0) throw unresolved(address);
    return found.toSorted().map((ip) => {
      const target = ip.includes(':') ? `[${ip}]:${name.port}` : `${ip}:${name.port}`;
      return { target, host: name.host };
    });
  }

  /** A member that came later serves the same model, or is left out until it does. */
  async #mayJoin(place: Place): Promise<boolean> {
    if (this.#clients.has(place.target) || this.#modelId === undefined) return true;
    const { identify = ownWord } = this.#options;
    const client = this.#newClient(place);
    try {
      return (await identify(client)) === this.#modelId;
    } catch {
      return false; // not up yet; the next resolution asks again
    } finally {
      client.close();
    }
  }

  #clientOf(place: Place): GeneratorServiceStub {
    const known = this.#clients.get(place.target);
    if (known !== undefined) return known;
    const client = this.#newClient(place);
    this.#clients.set(place.target, client);
    return client;
  }

  /** A server that is called by number is still the one whose name its certificate holds. */
  #newClient({ target, host }: Place): GeneratorServiceStub {
    const { security = ClientSecurity.plaintext } = this.#options.channel ?? {};
    if (host === undefined) return connect(GeneratorServiceClient, target, { security });
    security.checkPeer(target, isLoopback(target.replace(/:\d+$/, '')));
    return new GeneratorServiceClient(target, security.credentials, {
      ...channelOptions(),
      interceptors: security.interceptors,
      ...security.channelOptions(host),
    });
  }
}

/** Where one member is. */
interface Place {
  readonly target: string;
  /** The name that it was found by. */
  readonly host?: string;
}

/** Name and port of an address that stands for as many servers as its name has addresses. */
function nameOf(address: string): { readonly host: string; readonly port: string } | undefined {
  const match = /^dns:(?:\/\/[^/]*\/)?([^:]+):(\d+)$/.exec(address);
  return match === null ? undefined : { host: match[1]!, port: match[2]! };
}

function unresolved(address: string, cause?: unknown): A2sfError {
  const message = `generators: ${address} has no address`;
  return new A2sfError('UNAVAILABLE', message, { field: 'generators', reason: 'not-serving', cause });
}
