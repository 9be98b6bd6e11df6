import { createServer } from 'node:net';
import type { Finding } from './doctor-findings.js';

/** The ports that commands listen on unless told otherwise. */
export const defaultPorts: Readonly<Record<string, { readonly port?: number; readonly httpPort: number }>> = {
  'serve encoder': { port: 50_051, httpPort: 9464 },
  'serve generator': { port: 50_052, httpPort: 9465 },
  'serve reward': { port: 50_053, httpPort: 9466 },
  'serve policy': { port: 50_054, httpPort: 9467 },
  train: { httpPort: 9468 },
};

/**
 * Listens for a moment on the default ports of the commands. One that is taken is a warning: it may be by the suite itself.
 * @param peers addresses of services that run already.
 */
export async function checkPorts(
  peers: readonly string[],
  ports: typeof defaultPorts = defaultPorts,
): Promise<Finding[]> {
  const wanted = Object.entries(ports).flatMap(([command, { port, httpPort }]) => [
    ...(port === undefined ? [] : [{ command, port, flag: '--port' }]),
    { command, port: httpPort, flag: '--http_port' },
  ]);
  const serving = new Set(peers.map((address) => Number(/:(\d+)$/.exec(address)?.[1])));
  const tried = await Promise.all(wanted.map(async (one) => ({ ...one, problem: await whyNotFree(one.port) })));
  const taken = tried.filter(({ port, problem }) => problem !== undefined && !serving.has(port));
  if (taken.length === 0) {
    const message = `${wanted.map(({ port }) => port).join(', ')}: free, or of the named services`;
    return [{ check: 'ports', verdict: 'ok', message }];
  }
  return taken.map(({ command, port, flag, problem }) => ({
    check: `port ${port}`,
    verdict: 'warning',
    message: `${problem!}; a2sf ${command} listens there unless told otherwise`,
    fix: `a2sf ${command} ${flag} 0 takes any free port; or end the program that holds it`,
  }));
}

/** Why 127.0.0.1:port cannot be listened on; undefined: it can. */
function whyNotFree(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'in use' : `cannot be listened on (${error.code ?? error.message})`),
    );
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
