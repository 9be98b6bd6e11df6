import { destination, type DestinationStream } from 'pino';

/** Bytes of log kept for a slow or blocked stderr; what is over it is dropped, so that no call ever waits for the log. */
const maxBufferedBytes = 4 << 20;

/** Times, 100 ms apart, that a blocked stderr is tried again when the process ends; what is left then is lost. */
const lastTries = 5;

let shared: DestinationStream | undefined;

/** Where the lines of all loggers of this process go: stderr, written behind the caller's back. */
export function stderrStream(): DestinationStream {
  if (shared !== undefined) return shared;
  let triesLeft = Infinity;
  // Before pino's own end of the stream, which would try for ever.
  process.once('exit', () => {
    triesLeft = lastTries;
    try {
      stream.flushSync();
    } catch {
      stream.destroy();
    }
  });
  const stream = destination({
    // Asked of the stream, which sets a pipe to non-blocking: a write to a full one fails instead of holding a thread.
    dest: process.stderr.fd,
    sync: false,
    maxLength: maxBufferedBytes,
    retryEAGAIN: () => triesLeft-- > 0,
  });
  return (shared = stream);
}
