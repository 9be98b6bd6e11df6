// A generator without a model that speaks the real contract: one sweep at a time, each --service_ms long. It prints its port.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { GeneratorServiceClient } from '@a2sf/contracts';

const { values } = parseArgs({ options: { service_ms: { type: 'string', default: '250' } } });
let last = Promise.resolve();

/** Texts that follow from the prompt and the action, so that rewards differ. */
function answerTo({ prompt, actions, compressions, budget, includeFull }) {
  const words = prompt.text.split(/\s+/).slice(0, 12);
  const textOf = (i) => words.filter((_, n) => (n + i) % 5 !== 0).join(' ');
  return {
    ...(includeFull ? { full: { text: words.join(' '), tokenIds: [1], logProbs: [] } } : {}),
    results: [...actions, ...compressions.map(() => undefined)].map((action, i) => {
      const text = textOf(i + Math.round(action?.b ?? 0));
      return { ...(action && { action }), text, tokenIds: [1], logProbs: [], keptTokens: budget };
    }),
    promptTokens: 1000,
    truncated: false,
    keptTokens: budget,
    prefillMs: 0,
    decodeMs: 0,
  };
}

const server = new Server();
server.addService(GeneratorServiceClient.service, {
  getInfo: (_call, done) =>
    done(null, {
      model: 'simulated',
      family: 'llama',
      layers: 1,
      kvHeads: 1,
      vocab: 10,
      maxPromptTokens: 4096,
      device: 'cpu',
      dtype: 'float32',
      slots: 1,
      modelId: 'simulated@0',
      hasTokenizer: true,
      methods: [],
      hasChatTemplate: false,
    }),
  sweep: (call, done) => {
    const before = last;
    const serveNext = async () => {
      await before;
      await delay(Number(values.service_ms));
      done(null, answerTo(call.request));
    };
    last = serveNext();
  },
});
const health = new HealthImplementation({ '': 'SERVING', 'a2sf.generator.v1.GeneratorService': 'SERVING' });
health.addToServer(server);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});
process.on('disconnect', () => process.exit());
