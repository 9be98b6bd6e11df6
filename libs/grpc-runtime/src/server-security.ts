import './grpc-log.js';
import { constants } from 'node:crypto';
import type { SecureServerOptions } from 'node:http2';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { usageError } from '@a2sf/config';
import type { Logger } from '@a2sf/observability';
import { AccessControl, type RestrictedMethods } from './access-control.js';
import { acceptedTokens } from './bearer-tokens.js';
import type { ServerSecurityOptions, TlsClientAuth } from './security-options.js';
import { isLoopback } from './server-options.js';
import { type TlsMaterial, tlsFiles } from './tls-files.js';

/** How long a client may take for its handshake. */
const handshakeTimeoutMs = 10_000;

function contextOf({ identity, ca }: TlsMaterial): SecureContextOptions {
  return {
    minVersion: 'TLSv1.2',
    // Without tickets every connection shows its certificate, also to an authority that has changed since the last one.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(ca === undefined ? {} : { ca }),
    ...identity,
  };
}

/** TLS of a server; a changed context is that of the connections from then on. */
class ReloadedServerCredentials extends ServerCredentials {
  constructor(clientAuth: TlsClientAuth, material: TlsMaterial) {
    const options: SecureServerOptions = {
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'require',
      handshakeTimeout: handshakeTimeoutMs,
    };
    super(options, contextOf(material));
  }

  reload(material: TlsMaterial): void {
    this.updateSecureContextOptions(contextOf(material));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** How a server proves itself, and whom it lets in. */
export interface ServerSecurity {
  readonly credentials: ServerCredentials;
  readonly access: AccessControl;
  /** Stops watching the files. */
  readonly close: () => void;
}

/** What is wrong with a server's security flags. */
function violationsOf(o: ServerSecurityOptions & { readonly host: string }): string[] {
  const { tlsCert, tlsKey, tlsCa, tlsClientAuth, insecure, host } = o;
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) {
    if (insecure || isLoopback(host)) return [];
    return [`--host: ${host} is reached by other machines: give --tls_cert, --tls_key and --tls_ca, or --insecure`];
  }
  const needed = { tls_cert: tlsCert, tls_key: tlsKey, ...(tlsClientAuth === 'none' ? {} : { tls_ca: tlsCa }) };
  const missing = Object.entries(needed).flatMap(([flag, path]) => (path === undefined ? [`--${flag}`] : []));
  return missing.length === 0 ? [] : [`${missing.join(', ')}: TLS needs it, too`];
}

/**
 * From a server's flags: plaintext without files (on a loopback host, or with `--insecure`), else TLS that is renewed
 * without a connection being closed.
 *
 * @throws A2sfError usage when flags lack others; NOT_FOUND, FAILED_PRECONDITION for the files.
 */
export function serverSecurity(
  o: ServerSecurityOptions & { readonly host: string },
  restricted: RestrictedMethods | undefined,
  log: Logger,
): ServerSecurity {
  const violations = violationsOf(o);
  if (violations.length > 0) throw usageError(violations);
  const reloadMs = 1000 * o.tlsReloadSeconds;
  const files = tlsFiles(o, reloadMs, log);
  const tokens = acceptedTokens(o.authTokenFile, reloadMs, log);
  const access = new AccessControl({
    clientAuth: files === undefined ? undefined : o.tlsClientAuth,
    tokens: () => tokens?.value,
    restricted,
  });
  const close = (): void => {
    files?.close();
    tokens?.close();
  };
  if (files === undefined) return { credentials: ServerCredentials.createInsecure(), access, close };
  const credentials = new ReloadedServerCredentials(o.tlsClientAuth, files.value);
  files.onChange((material) => credentials.reload(material));
  return { credentials, access, close };
}
