import { status as Status } from '@grpc/grpc-js';
import { A2sfError } from '@a2sf/errors';
import { type CallStatus, reasonKey } from './status.js';

function malformed(problem: string): A2sfError {
  return A2sfError.invalid('request', problem, 'malformed-request');
}

/**
 * What a status that grpc-js made by itself means in the suite's terms: its own codes for bad requests (UNIMPLEMENTED,
 * INTERNAL, UNKNOWN) put the blame on the server, and its limits do not name their flag. Undefined for a status that
 * stays as it is. grpc-js tells them apart by their text alone; a text that is not known stays too, so that a new version
 * of it changes words and never a success.
 */
export function refusalBehind(status: CallStatus, maxMessageBytes: number): A2sfError | undefined {
  if (status.code === Status.OK || status.metadata?.get(reasonKey)[0] !== undefined) return undefined;
  const { code, details } = status;
  if (code === Status.DEADLINE_EXCEEDED) {
    return new A2sfError('DEADLINE_EXCEEDED', 'not done before the deadline of the call');
  }
  if (code === Status.RESOURCE_EXHAUSTED) return tooLarge(details, maxMessageBytes);
  if (code === Status.UNIMPLEMENTED && details.startsWith('Received a second request message')) {
    return malformed('more than one message was sent');
  }
  if (code === Status.UNIMPLEMENTED && details.startsWith('Received no request message')) {
    return malformed('the message is missing or cut off');
  }
  if (details === 'Failed to decompress message') return malformed('cannot be decompressed');
  if (details.startsWith('Invalid grpc-timeout')) return malformed('the grpc-timeout header is not a duration');
  if (code === Status.INTERNAL || code === Status.UNKNOWN) {
    return new A2sfError('INTERNAL', 'the answer could not be made', { cause: new Error(details) });
  }
  return undefined;
}

function tooLarge(details: string, limit: number): A2sfError | undefined {
  const remedy = `the limit is ${limit} bytes (--max_message_bytes)`;
  const size = /\((\d+) vs/.exec(details)?.[1];
  const large = (field: string, problem: string): A2sfError =>
    new A2sfError('RESOURCE_EXHAUSTED', `${field}: ${problem}, ${remedy}`, { field, reason: 'message-too-large' });
  if (details.startsWith('Received message larger')) return large('request', `has ${size} bytes`);
  if (details.startsWith('Received message that decompresses')) return large('request', 'decompresses to more');
  if (details.startsWith('Sent message larger')) return large('response', `has ${size} bytes`);
  return undefined;
}
