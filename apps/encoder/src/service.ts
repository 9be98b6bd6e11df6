import {
  EncoderServiceClient,
  type Embedding,
  type EncodeRequestOutput,
  type EncodeResponse,
  type EncoderInfoResponse,
  type EncoderServiceHandlers,
} from '@a2sf/contracts';
import { service, type CallContext, type ServiceSpec } from '@a2sf/grpc-runtime';
import type { Encoder } from './encoder.js';
import type { EncoderMetrics } from './metrics.js';
import { readEncode, type RequestLimits } from './request.js';

/** The RPCs of one encoder. */
export function encoderService(encoder: Encoder, limits: RequestLimits, metrics: EncoderMetrics): ServiceSpec {
  async function encode(request: EncodeRequestOutput, { signal }: CallContext): Promise<EncodeResponse> {
    const inputs = readEncode(request, limits);
    const encoded = await metrics.track(() => encoder.encode(inputs, signal));
    const { encoderId } = encoder.info;
    return {
      embeddings: encoded.map(({ values, tokens, truncated, empty }): Embedding => ({
        values: [...values],
        tokens,
        truncated,
        empty,
        encoderId,
      })),
    };
  }

  async function getInfo(): Promise<EncoderInfoResponse> {
    const { model, dimension, maxTokens, pooling, normalised, device, encoderId } = encoder.info;
    return { model, dimension, maxTokens, pooling, normalised, device, encoderId };
  }

  return service<EncoderServiceHandlers>(EncoderServiceClient.service, { Encode: encode, GetInfo: getInfo });
}
