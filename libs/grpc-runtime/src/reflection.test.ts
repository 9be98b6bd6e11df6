import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type ClientDuplexStream, type Client, credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { descriptorFile } from '@a2sf/contracts';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { suiteDescriptors } from './descriptors.js';
import { withPolicy } from './loopback.fixture.js';
import { reflectionDefinition } from './reflection.js';

interface Answer {
  readonly message_response: string;
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_code: number };
}

/** Asks a server, one stream for all questions. */
async function ask(port: number, version: string, ...questions: object[]): Promise<Answer[]> {
  const Constructor = makeGenericClientConstructor(reflectionDefinition(version), 'ServerReflection');
  const client = new Constructor(`127.0.0.1:${port}`, credentials.createInsecure()) as unknown as Client & {
    ServerReflectionInfo(): ClientDuplexStream<object, Answer>;
  };
  try {
    const stream = client.ServerReflectionInfo();
    for (const question of questions) stream.write(question);
    stream.end();
    return (await stream.toArray()) as Answer[];
  } finally {
    client.close();
  }
}

function fileNames(answer: Answer | undefined): string[] {
  const files = answer?.file_descriptor_response?.file_descriptor_proto ?? [];
  return files.map((bytes) => (descriptor.FileDescriptorProto.decode(bytes) as unknown as { name: string }).name);
}

describe('reflection', () => {
  for (const version of ['v1', 'v1alpha']) {
    test(`${version} lists the services and answers files with all their imports`, async () => {
      await withPolicy({}, async (_client, { port }) => {
        const [services, byName, bySymbol, byMethod, byField] = await ask(
          port,
          version,
          { list_services: '' },
          { file_by_filename: 'a2sf/policy/v1/policy.proto' },
          { file_containing_symbol: 'a2sf.policy.v1.PolicyService' },
          { file_containing_symbol: 'grpc.health.v1.Health.Check' },
          { file_containing_symbol: 'a2sf.types.v1.Action.a' },
        );
        assert.deepEqual(
          services?.list_services_response?.service.map(({ name }) => name),
          [
            'a2sf.policy.v1.PolicyService',
            'grpc.health.v1.Health',
            'grpc.reflection.v1.ServerReflection',
            'grpc.reflection.v1alpha.ServerReflection',
          ],
        );
        const policy = ['a2sf/policy/v1/policy.proto', 'a2sf/types/v1/types.proto', 'google/protobuf/timestamp.proto'];
        assert.deepEqual(fileNames(byName), policy);
        assert.deepEqual(fileNames(bySymbol), policy);
        assert.deepEqual(fileNames(byMethod), ['grpc/health/v1/health.proto']);
        assert.deepEqual(fileNames(byField), ['a2sf/types/v1/types.proto']);
      });
    });
  }

  test('answers what it does not know with an error of the question, not of the stream', async () => {
    await withPolicy({}, async (_client, { port }) => {
      const answers = await ask(
        port,
        'v1',
        { file_by_filename: '../../etc/passwd' },
        { file_containing_symbol: '__proto__' },
        { all_extension_numbers_of_type: 'a2sf.types.v1.Action' },
        {},
        { list_services: '' },
      );
      assert.deepEqual(
        answers.map(({ error_response: error }) => error?.error_code),
        [5, 5, 12, 12, undefined],
      );
    });
  });

  test('can be turned off', async () => {
    await withPolicy(
      {},
      async (_client, { port }) => {
        await assert.rejects(ask(port, 'v1', { list_services: '' }), /UNIMPLEMENTED/);
      },
      { reflection: false },
    );
  });

  test('sends the bytes that the contract was compiled to', () => {
    const file = suiteDescriptors().files.get('a2sf/policy/v1/policy.proto');
    assert.ok(file !== undefined);
    assert.ok(readFileSync(descriptorFile).includes(Buffer.from(file.bytes)));
    const decoded = descriptor.FileDescriptorProto.decode(file.bytes) as unknown as {
      readonly messageType: readonly { readonly name: string; readonly field: readonly { readonly name: string }[] }[];
    };
    const message = decoded.messageType.find(({ name }) => name === 'SelectActionResponse');
    assert.ok(message?.field.some(({ name }) => name === 'policy_version'));
  });
});
