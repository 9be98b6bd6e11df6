import { Writable } from 'node:stream';
import { resolveOptions } from '@a2sf/config';
import { EncoderServiceClient, type EncoderServiceStub, type Prompt } from '@a2sf/contracts';
import { isA2sfError } from '@a2sf/errors';
import { callUnary, connect, serve, type RunningServer } from '@a2sf/grpc-runtime';
import { SentenceEncoderHost } from '@a2sf/inference';
import { resolveModelFolder } from '@a2sf/model-zoo';
import { createLogger, Metrics } from '@a2sf/observability';
import { composeEncoder } from './compose-encoder.js';
import { encoderMetrics } from './metrics.js';
import { options } from './options.js';
import { encoderService } from './service.js';

const log = createLogger({
  name: 'encoder',
  level: 'fatal',
  stream: new Writable({ write: (_c, _e, done) => done() }),
});

const { path } = EncoderServiceClient.service.Encode;

/** The whole service over gRPC on loopback, with the flags that a test gives it. */
export class Served {
  private constructor(
    readonly client: EncoderServiceStub,
    readonly server: RunningServer,
  ) {}

  static async start(modelName: string | undefined, ...flags: string[]): Promise<Served> {
    const command = { name: 'encoder', description: 'test' };
    const { values } = resolveOptions(command, options, ['--port', '0', '--http_port', '0', ...flags], {});
    const { folder, name } = resolveModelFolder(modelName, 'encoder');
    const model = await SentenceEncoderHost.start({ folder, name, threads: 1 }, { maxQueue: values.maxQueue });
    const metrics = new Metrics({ processMetrics: false });
    const observed = encoderMetrics(metrics);
    const server = await serve({
      name: 'encoder',
      service: encoderService(composeEncoder(model, values, observed), values, observed),
      options: values,
      metrics,
      log,
      onStop: () => model.dispose(),
      process: false,
    });
    server.setReady(true);
    return new Served(connect(EncoderServiceClient, `127.0.0.1:${server.port}`), server);
  }

  async encode(...inputs: Prompt[]) {
    return (await callUnary(this.client, 'encode', { inputs })).embeddings;
  }

  info() {
    return callUnary(this.client, 'getInfo', {});
  }

  /** Sends the bytes of a request as they are. */
  encodeBytes(request: Uint8Array): Promise<Uint8Array> {
    const bytes = Buffer.from(request);
    const same = (message: Buffer): Buffer => message;
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(path, same, same, bytes, (error, answer) =>
        error === null ? resolve(answer!) : reject(error),
      );
    });
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.server.httpPort}/metrics`)).text();
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.server.stop();
  }
}

export const ids = (...tokens: number[]): Prompt => ({ tokenIds: { ids: tokens } });
/** As many ids as the embedded model reads; another list for each `salt`. */
export const longIds = (salt: number): Prompt => ids(...Array.from({ length: 2048 }, (_, i) => (i + salt) % 2048));
export const refused = (code: string, field: string, told: RegExp) => (error: unknown) =>
  isA2sfError(error) && error.code === code && error.message.includes(field) && told.test(error.message);
