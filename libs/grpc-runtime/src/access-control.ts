import { A2sfError } from '@a2sf/errors';
import type { TokenSet } from './bearer-tokens.js';
import type { TlsClientAuth } from './security-options.js';

/** Methods of a service that only some clients may call, once certificates tell who they are. */
export interface RestrictedMethods {
  /** Names in the contract's spelling: `Update`. */
  readonly methods: readonly string[];
  /** The names, of which a client's certificate must have one. */
  readonly to: readonly string[];
  /** The flag that lists them: `trainers`. */
  readonly flag: string;
}

/** What a server knows of who sent a call. */
export interface Credentials {
  readonly authorization: string | undefined;
  /** The names of the client's certificate; undefined without one that the authority vouches for. */
  readonly names: readonly string[] | undefined;
}

/** What decides about calls. */
export interface AccessOptions {
  /** How the server asks for certificates; undefined: it speaks plaintext. */
  readonly clientAuth: TlsClientAuth | undefined;
  /** The tokens of this moment; undefined: none is needed. */
  readonly tokens: () => TokenSet | undefined;
  readonly restricted: RestrictedMethods | undefined;
}

/** Asked by probes that have neither certificate nor token. */
const open = /^\/grpc\.health\./;
const maxNames = 200;

/**
 * Who may call what:
 * - health checks: everybody;
 * - a server with tokens: who sends one of them, beside what follows;
 * - a server that asks for certificates: who has one;
 * - restricted methods of a server with TLS: whose certificate has one of their names.
 *
 * A server without TLS and tokens is open, as on loopback.
 */
export class AccessControl {
  constructor(private readonly o: AccessOptions) {}

  /** Why the call of a method, by its path, is refused; undefined when it is not. */
  refusal(path: string, { authorization, names }: Credentials): A2sfError | undefined {
    if (open.test(path)) return undefined;
    const tokens = this.o.tokens();
    if (tokens !== undefined) {
      const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) return noToken('a bearer token is needed (--auth_token_file)');
      if (!tokens.has(token)) return noToken('the bearer token is not known here');
    }
    const { clientAuth, restricted } = this.o;
    if (clientAuth === undefined) return undefined;
    if (clientAuth !== 'none' && names === undefined) return noCertificate('the call needs a client certificate');
    const method = path.slice(path.lastIndexOf('/') + 1);
    if (restricted === undefined || !restricted.methods.includes(method)) return undefined;
    if (names === undefined) {
      return noCertificate(`${method} needs a client certificate, which --tls_client_auth none does not ask for`);
    }
    if (names.some((name) => restricted.to.includes(name))) return undefined;
    const who = names.length === 0 ? 'has no name' : `is ${names.join(', ').slice(0, maxNames)}`;
    const message = `${method} is for ${restricted.to.join(', ')} (--${restricted.flag}); the client ${who}`;
    return new A2sfError('PERMISSION_DENIED', message, { reason: 'not-allowed' });
  }
}

function noToken(problem: string): A2sfError {
  return new A2sfError('UNAUTHENTICATED', `authorization: ${problem}`, { field: 'authorization', reason: 'bad-token' });
}

function noCertificate(problem: string): A2sfError {
  return new A2sfError('UNAUTHENTICATED', problem, { reason: 'no-certificate' });
}
