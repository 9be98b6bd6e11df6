import type { ChannelCredentials, ChannelOptions, Client, ClientOptions } from '@grpc/grpc-js';
import { A2sfError } from '@a2sf/errors';
import { ClientSecurity } from './client-security.js';
import { defaultMaxMessageBytes, isLoopback } from './server-options.js';

/** Constructor of a client: what `@a2sf/contracts` exports. */
export type ClientConstructor<C extends Client> = new (
  address: string,
  credentials: ChannelCredentials,
  options?: ClientOptions,
) => C;

const retryPolicy = {
  maxAttempts: 4,
  initialBackoff: '0.1s',
  maxBackoff: '2s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE'],
};

/**
 * Options of a channel: message limits, keepalive that finds a peer which fell silent, retries of calls that did not reach
 * one (UNAVAILABLE only: the suite's calls are safe to repeat), and no service config from DNS.
 *
 * @param balanced - spread the calls over all addresses instead of staying with the first that answers.
 */
export function channelOptions(
  o: { readonly maxMessageBytes?: number; readonly balanced?: boolean } = {},
): ChannelOptions {
  const maxMessageBytes = o.maxMessageBytes ?? defaultMaxMessageBytes;
  return {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 10_000,
    'grpc.dns_min_time_between_resolutions_ms': 5000,
    'grpc.enable_retries': 1,
    'grpc.per_rpc_retry_buffer_size': maxMessageBytes,
    'grpc.service_config_disable_resolution': 1,
    'grpc.service_config': JSON.stringify({
      loadBalancingConfig: [o.balanced === true ? { round_robin: {} } : { pick_first: {} }],
      methodConfig: [{ name: [{}], retryPolicy }],
    }),
    'grpc.enable_channelz': 0,
  };
}

const hostAndPort = /^(?:\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9._-]*[a-z0-9_.])?):(\d{1,5})$/i;

/**
 * The target that grpc-js understands, and whether it stands for several servers: `host:port`, `host:port,host:port`
 * (numeric hosts), or a target with its scheme (`dns:///name:port`, `ipv4:a:1,b:2`, `unix:/path`).
 *
 * @throws A2sfError INVALID_ARGUMENT
 */
export function parseAddress(address: string): { readonly target: string; readonly balanced: boolean } {
  if (/^(dns|ipv4|ipv6|unix|unix-abstract):./.test(address)) {
    return { target: address, balanced: /^(dns:|ipv[46]:.*,)/.test(address) };
  }
  const parts = address.split(',');
  const wrong = parts.find((part) => {
    const port = hostAndPort.exec(part)?.[2];
    return port === undefined || Number(port) === 0 || Number(port) > 65_535;
  });
  if (wrong !== undefined) {
    throw A2sfError.invalid('address', `${JSON.stringify(wrong.slice(0, 100))} is not host:port or dns:///name:port`);
  }
  if (parts.length === 1) return { target: address, balanced: false };
  const scheme = parts.every((part) => /^[\d.]+:\d+$/.test(part))
    ? 'ipv4'
    : parts.every((part) => part.startsWith('['))
      ? 'ipv6'
      : undefined;
  if (scheme === undefined) {
    throw A2sfError.invalid(
      'address',
      'a list of addresses must be numeric, all IPv4 or all IPv6; use dns:///name:port',
    );
  }
  return { target: `${scheme}:${address}`, balanced: true };
}

/** True for a target that does not leave this machine. */
function isLocal(target: string): boolean {
  if (target.startsWith('unix')) return true;
  const hosts = target.replace(/^(dns:(\/\/[^/]*\/)?|ipv[46]:)/, '').split(',');
  return hosts.every((host) => isLoopback(host.replace(/:\d+$/, '')));
}

/** What a channel is made with. */
export interface ConnectOptions {
  readonly maxMessageBytes?: number;
  /** Default: plaintext, and no token. */
  readonly security?: ClientSecurity;
}

/**
 * A client of a service. It connects at its first call; `client.close()` ends it.
 *
 * @throws A2sfError INVALID_ARGUMENT for an address that is none, FAILED_PRECONDITION for a token that plaintext would show.
 */
export function connect<C extends Client>(
  Constructor: ClientConstructor<C>,
  address: string,
  { security = ClientSecurity.plaintext, ...o }: ConnectOptions = {},
): C {
  const { target, balanced } = parseAddress(address);
  security.checkPeer(address, isLocal(target));
  const { credentials, interceptors } = security;
  const options = { ...channelOptions({ ...o, balanced }), ...security.channelOptions() };
  return new Constructor(target, credentials, { ...options, interceptors });
}

/** The address a client was made for, as its user wrote it. */
export function addressOf(client: Client): string {
  return client
    .getChannel()
    .getTarget()
    .replace(/^(dns:(\/\/[^/]*\/)?|ipv[46]:)/, '');
}
