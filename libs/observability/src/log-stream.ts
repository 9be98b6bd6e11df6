import { constants, fstatSync, openSync } from 'node:fs';
import { destination, type DestinationStream } from 'pino';

/** Bytes of log kept for a slow or blocked stderr; what is over it is dropped, so that no call ever waits for the log. */
const maxBufferedBytes = 4 << 20;

/** Times, 100 ms apart, that a blocked stderr is tried again when the process ends. */
const lastTries = 5;

const stderr = 2;

/**
 * The descriptor of stderr, or one of its own for a pipe, which is then never waited for: a write to a full pipe would hold
 * a thread of the process, and the end of the process, until somebody reads.
 */
function descriptor(): number {
  try {
    if (!fstatSync(stderr).isFIFO()) return stderr;
    return openSync(`/proc/self/fd/${stderr}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return stderr;
  }
}

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
    dest: descriptor(),
    sync: false,
    maxLength: maxBufferedBytes,
    retryEAGAIN: () => triesLeft-- > 0,
  });
  return (shared = stream);
}
