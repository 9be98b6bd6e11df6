// A process that sends every byte back: the round trip that the machine gives, without HTTP/2, messages or work.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);

if (process.argv[1] === self) {
  const server = createServer((socket) => {
    socket.setNoDelay();
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

/** Starts the process; `send` waits until as many bytes are back. */
export async function startEcho() {
  const child = fork(self);
  const [port] = await once(child, 'message');
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay();
  await once(socket, 'connect');

  async function send(bytes) {
    socket.write(Buffer.alloc(bytes));
    for (let back = 0; back < bytes;) {
      const [data] = await once(socket, 'data');
      back += data.length;
    }
  }
  function stop() {
    socket.destroy();
    child.kill('SIGTERM');
  }
  return { send, stop };
}
