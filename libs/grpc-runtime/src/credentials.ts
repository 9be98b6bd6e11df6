import './grpc-log.js';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

// The one place where connections get their security. Everything is plaintext for now; servers bind to loopback by default.

/** Credentials that a server listens with. */
export function serverCredentials(): ServerCredentials {
  return ServerCredentials.createInsecure();
}

/** Credentials that a client connects with. */
export function channelCredentials(): ChannelCredentials {
  return ChannelCredentials.createInsecure();
}
