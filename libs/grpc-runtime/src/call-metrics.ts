import type { MethodDefinition, ServerMethodDefinition } from '@grpc/grpc-js';
import type { Metrics } from '@a2sf/observability';

type MethodLabels = 'grpc_type' | 'grpc_service' | 'grpc_method';
type Labels = Readonly<Record<MethodLabels, string>>;

/** Path, and which sides stream. */
export type MethodShape = Pick<
  ServerMethodDefinition<unknown, unknown> | MethodDefinition<unknown, unknown>,
  'path' | 'requestStream' | 'responseStream'
>;

const names = ['grpc_type', 'grpc_service', 'grpc_method'] as const;
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];

function labelsOf(method: MethodShape): Labels {
  const [, service = '', name = ''] = method.path.split('/');
  const type = `${method.requestStream ? (method.responseStream ? 'bidi' : 'client') : 'server'}_stream`;
  return {
    grpc_type: method.requestStream || method.responseStream ? type : 'unary',
    grpc_service: service,
    grpc_method: name,
  };
}

/** The counters of one method's calls. */
export interface MethodMetrics {
  started(): void;
  /** @param code - name of a gRPC status code. */
  handled(code: string, seconds: number): void;
  received(): void;
  sent(): void;
  inFlight(change: 1 | -1): void;
}

/**
 * Server metrics by the grpc-prometheus convention, and `grpc_server_in_flight_calls`: calls whose handler still runs or
 * whose status is not sent. Label values come from the definitions of served methods and from the status codes.
 */
export class CallMetrics {
  private readonly byPath = new Map<string, MethodMetrics>();
  private readonly startedTotal;
  private readonly handledTotal;
  private readonly handlingSeconds;
  private readonly receivedTotal;
  private readonly sentTotal;
  private readonly inFlightCalls;

  constructor(metrics: Metrics) {
    const name = (suffix: string): string => `grpc_server_${suffix}`;
    this.startedTotal = metrics.addCounter({
      name: name('started_total'),
      help: 'RPCs started on the server.',
      labelNames: names,
    });
    this.handledTotal = metrics.addCounter({
      name: name('handled_total'),
      help: 'RPCs completed on the server, by status code.',
      labelNames: [...names, 'grpc_code'] as const,
    });
    this.handlingSeconds = metrics.addHistogram({
      name: name('handling_seconds'),
      help: 'Time from the start of an RPC to its status.',
      labelNames: names,
      buckets,
    });
    this.receivedTotal = metrics.addCounter({
      name: name('msg_received_total'),
      help: 'Messages received on the server.',
      labelNames: names,
    });
    this.sentTotal = metrics.addCounter({
      name: name('msg_sent_total'),
      help: 'Messages sent by the server.',
      labelNames: names,
    });
    this.inFlightCalls = metrics.addGauge({
      name: name('in_flight_calls'),
      help: 'RPCs in work: handler running or status not sent.',
      labelNames: names,
    });
  }

  /** The counters of a method; its series exist from the first call of this on. */
  of(method: MethodShape): MethodMetrics {
    let made = this.byPath.get(method.path);
    if (made === undefined) {
      made = this.make(labelsOf(method));
      this.byPath.set(method.path, made);
    }
    return made;
  }

  private make(labels: Labels): MethodMetrics {
    const started = this.startedTotal.labels(labels);
    const received = this.receivedTotal.labels(labels);
    const sent = this.sentTotal.labels(labels);
    const seconds = this.handlingSeconds.labels(labels);
    const inFlight = this.inFlightCalls.labels(labels);
    for (const counter of [started, received, sent]) counter.inc(0);
    inFlight.set(0);
    this.handledTotal.inc({ ...labels, grpc_code: 'OK' }, 0);
    return {
      started: () => started.inc(),
      handled: (code, duration) => {
        this.handledTotal.inc({ ...labels, grpc_code: code });
        seconds.observe(duration);
      },
      received: () => received.inc(),
      sent: () => sent.inc(),
      inFlight: (change) => inFlight.inc(change),
    };
  }
}
