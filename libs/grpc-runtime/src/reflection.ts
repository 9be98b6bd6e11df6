import { fileURLToPath } from 'node:url';
import { type Server, type ServerDuplexStream, loadPackageDefinition, status as Status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Descriptors, ProtoFile } from './descriptors.js';

const protoFolder = fileURLToPath(new URL('../protos', import.meta.url));
const versions = ['v1', 'v1alpha'] as const;

interface ReflectionRequest {
  readonly message_request?: string;
  readonly file_by_filename?: string;
  readonly file_containing_symbol?: string;
}

type ReflectionAnswer =
  | { readonly file_descriptor_response: { readonly file_descriptor_proto: readonly Uint8Array[] } }
  | { readonly list_services_response: { readonly service: readonly { readonly name: string }[] } }
  | { readonly error_response: { readonly error_code: number; readonly error_message: string } };

function refusal(code: Status, message: string): ReflectionAnswer {
  return { error_response: { error_code: code, error_message: message } };
}

/**
 * Answers questions of server reflection from compiled descriptors: files go out as the bytes they were compiled to,
 * with all they import, so that names, maps, options and well-known types are those of the .proto files.
 */
export function reflect(
  descriptors: Descriptors,
  services: readonly string[],
  request: ReflectionRequest,
): ReflectionAnswer {
  const files = (file: ProtoFile | undefined, asked: string): ReflectionAnswer =>
    file === undefined
      ? refusal(Status.NOT_FOUND, `not found: ${asked.slice(0, 200)}`)
      : {
          file_descriptor_response: { file_descriptor_proto: descriptors.withImports(file).map(({ bytes }) => bytes) },
        };
  const { file_by_filename: name, file_containing_symbol: symbol } = request;
  const asked = request.message_request;
  if (asked === 'list_services')
    return { list_services_response: { service: services.map((entry) => ({ name: entry })) } };
  if (asked === 'file_by_filename' && name !== undefined) return files(descriptors.files.get(name), name);
  if (asked === 'file_containing_symbol' && symbol !== undefined) {
    return files(descriptors.fileBySymbol.get(symbol.replace(/^\./, '')), symbol);
  }
  return refusal(Status.UNIMPLEMENTED, 'only files, symbols and services can be asked for');
}

/** Definition of one version of the reflection service, field names as in its .proto file. */
export function reflectionDefinition(version: string): ServiceDefinition {
  const loaded = loadPackageDefinition(
    loadSync(`grpc/reflection/${version}/reflection.proto`, {
      includeDirs: [protoFolder],
      keepCase: true,
      oneofs: true,
      longs: String,
      enums: String,
    }),
  ) as unknown as { grpc: { reflection: Record<string, { ServerReflection: { service: ServiceDefinition } }> } };
  return loaded.grpc.reflection[version]!.ServerReflection.service;
}

/** Adds grpc.reflection.v1 and v1alpha to a server; `services` are the full names it serves beside them. */
export function addReflection(server: Server, descriptors: Descriptors, services: readonly string[]): void {
  const all = [...services, ...versions.map((version) => `grpc.reflection.${version}.ServerReflection`)].sort();
  for (const version of versions) {
    server.addService(reflectionDefinition(version), {
      ServerReflectionInfo: (call: ServerDuplexStream<ReflectionRequest, object>) => {
        call.on('error', () => {});
        call.on('end', () => call.end());
        call.on('data', (request: ReflectionRequest) => {
          const answer = { valid_host: '', original_request: request, ...reflect(descriptors, all, request) };
          // A client that asks and does not read is not asked further.
          if (!call.write(answer)) {
            call.pause();
            call.once('drain', () => call.resume());
          }
        });
      },
    });
  }
}
