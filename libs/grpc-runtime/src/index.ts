export {
  service,
  type AnyHandler,
  type CallContext,
  type ClientStream,
  type HandlersOf,
  type ServerStream,
  type ServiceSpec,
  type Unary,
} from './handlers.js';
export { serve, type RunningServer, type ServeOptions } from './serve.js';
export { isLoopback, serverOptions, serverOptionsWithPorts, type ServerOptions } from './server-options.js';
export {
  addressOf,
  channelOptions,
  connect,
  parseAddress,
  type ClientConstructor,
  type ConnectOptions,
} from './channel.js';
export { ClientSecurity } from './client-security.js';
export type { RestrictedMethods } from './access-control.js';
export {
  callerOptions,
  clientSecurityOptions,
  type ClientSecurityOptions,
  type ServerSecurityOptions,
} from './security-options.js';
export {
  callClientStream,
  callServerStream,
  callUnary,
  type CallOptions,
  type ClientStreamName,
  type ServerStreamName,
  type UnaryName,
} from './calls.js';
export { Backoff } from './backoff.js';
export { withPatience, type Patience } from './patience.js';
export { waitUntilServing } from './wait-until-serving.js';
export { onStopSignal } from './stop-signals.js';
