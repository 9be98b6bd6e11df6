import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { suiteDescriptors } from './descriptors.js';
import { checkWire, wireMessage } from './wire-check.js';

/**
 * A request that must be refused. A deserialiser that throws makes grpc-js answer INTERNAL, so ours returns this in the
 * request's place and the handler's wrapper answers with the error.
 */
export class RefusedRequest {
  constructor(readonly error: A2sfError) {}
}

type AnyMethod = MethodDefinition<unknown, unknown>;

function checkedDecoder(method: AnyMethod): (bytes: Buffer) => unknown {
  const descriptors = suiteDescriptors();
  const typeName = descriptors.requestTypes.get(method.path);
  if (typeName === undefined) throw new Error(`no descriptor of method ${method.path}`);
  const type = wireMessage(descriptors, typeName);
  return (bytes) => {
    try {
      checkWire(bytes, type);
      return method.requestDeserialize(bytes);
    } catch (error) {
      const refusal = isA2sfError(error)
        ? error
        : new A2sfError('INVALID_ARGUMENT', `request: is not a valid ${typeName}`, {
            field: 'request',
            reason: 'malformed-request',
            cause: error,
          });
      return new RefusedRequest(refusal);
    }
  };
}

/** The definition of a service whose requests are checked on their raw bytes before they are decoded. */
export function withCheckedRequests(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: checkedDecoder(method as AnyMethod) },
    ]),
  );
}

/** The request itself. @throws A2sfError that it was refused with. */
export function admitted<T>(request: T): T {
  if (request instanceof RefusedRequest) throw request.error;
  return request;
}
