import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

// grpc-js writes some failures to stderr by itself, in its own format; each of them also comes as an error, which is
// reported once. GRPC_VERBOSITY brings them back.
if (process.env['GRPC_VERBOSITY'] === undefined && process.env['GRPC_NODE_VERBOSITY'] === undefined) {
  setLogVerbosity(logVerbosity.NONE);
}
