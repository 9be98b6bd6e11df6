import type { Metadata } from '@grpc/grpc-js';

/** Metadata by which a client with several connections says that they are one. */
export const clientHeader = 'x-a2sf-client';

/**
 * Who calls, for sharing a server fairly: `x-a2sf-client` when it is 1 to 64 of `A-Za-z0-9_.-`, else the peer's address
 * with its port, that is the connection. No identity to trust: whoever wants more shares can open more connections, too.
 */
export function clientKeyOf(metadata: Metadata, peer: string): string {
  const given = String(metadata.get(clientHeader)[0] ?? '');
  return /^[\w.-]{1,64}$/.test(given) ? given : `peer ${peer}`;
}
