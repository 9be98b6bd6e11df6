// Preloaded into a process under measurement, workers included (node --expose-gc --import): SIGUSR2 collects the garbage
// of all its threads.
import { isMainThread } from 'node:worker_threads';

const channel = new BroadcastChannel('collect garbage');
channel.addEventListener('message', () => globalThis.gc());
channel.unref();
if (isMainThread) {
  process.on('SIGUSR2', () => {
    channel.postMessage('now');
    globalThis.gc();
  });
}
