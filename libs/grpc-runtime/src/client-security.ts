import './grpc-log.js';
import {
  ChannelCredentials,
  type ChannelOptions,
  InterceptingCall,
  type Interceptor,
  experimental,
} from '@grpc/grpc-js';
import { usageError } from '@a2sf/config';
import { A2sfError } from '@a2sf/errors';
import type { Logger } from '@a2sf/observability';
import { ownToken } from './bearer-tokens.js';
import type { ClientSecurityOptions } from './security-options.js';
import { type TlsMaterial, tlsFiles } from './tls-files.js';
import type { WatchedFiles } from './watched-files.js';

type Listener<U> = (update: U | null) => void;

/** Certificates as grpc-js wants to be told of them: each new connection takes the last ones. */
class WatchedCertificates implements experimental.CertificateProvider {
  private readonly authorities = new Set<Listener<experimental.CaCertificateUpdate>>();
  private readonly identities = new Set<Listener<experimental.IdentityCertificateUpdate>>();

  constructor(private readonly files: WatchedFiles<TlsMaterial>) {
    files.onChange(() => {
      for (const listener of this.authorities) this.tellAuthority(listener);
      for (const listener of this.identities) this.tellIdentity(listener);
    });
  }

  addCaCertificateListener(listener: Listener<experimental.CaCertificateUpdate>): void {
    this.authorities.add(listener);
    this.tellAuthority(listener);
  }

  removeCaCertificateListener(listener: Listener<experimental.CaCertificateUpdate>): void {
    this.authorities.delete(listener);
  }

  addIdentityCertificateListener(listener: Listener<experimental.IdentityCertificateUpdate>): void {
    this.identities.add(listener);
    this.tellIdentity(listener);
  }

  removeIdentityCertificateListener(listener: Listener<experimental.IdentityCertificateUpdate>): void {
    this.identities.delete(listener);
  }

  private tellAuthority(listener: Listener<experimental.CaCertificateUpdate>): void {
    const { ca } = this.files.value;
    listener(ca === undefined ? null : { caCertificate: ca });
  }

  private tellIdentity(listener: Listener<experimental.IdentityCertificateUpdate>): void {
    const { identity } = this.files.value;
    listener(identity === undefined ? null : { certificate: identity.cert, privateKey: identity.key });
  }
}

/** How the channels of a process trust their servers and prove themselves. One object for all of them. */
export class ClientSecurity {
  /** Neither certificate nor token. */
  static readonly plaintext = new ClientSecurity(undefined, undefined, undefined);

  readonly credentials: ChannelCredentials;
  readonly interceptors: Interceptor[];

  private constructor(
    private readonly certificates: WatchedFiles<TlsMaterial> | undefined,
    private readonly token: WatchedFiles<string> | undefined,
    private readonly serverName: string | undefined,
  ) {
    this.credentials = certificates === undefined ? ChannelCredentials.createInsecure() : tlsCredentials(certificates);
    this.interceptors = token === undefined ? [] : [bearerOf(token)];
  }

  /**
   * From a client's flags: plaintext without any, TLS with `--tls_ca`, mutual TLS with all three. Files are read at once,
   * and with a log again when they change, until `close()`; the process may end before.
   *
   * @throws A2sfError usage when flags lack others; NOT_FOUND, FAILED_PRECONDITION for the files.
   */
  static of(o: ClientSecurityOptions, log?: Logger): ClientSecurity {
    const { tlsCert, tlsKey, tlsCa, tokenFile, tlsServerName: serverName } = o;
    const violations: string[] = [];
    if ((tlsCert === undefined) !== (tlsKey === undefined)) violations.push('--tls_cert, --tls_key: give both or none');
    else if (tlsCert !== undefined && tlsCa === undefined) violations.push('--tls_ca: is needed with --tls_cert');
    if (serverName !== undefined && tlsCa === undefined) {
      violations.push('--tls_server_name: means nothing without --tls_ca');
    }
    if (violations.length > 0) throw usageError(violations);
    const reloadMs = 1000 * o.tlsReloadSeconds;
    const token = ownToken(tokenFile, reloadMs, log);
    const certificates = tlsFiles(o, reloadMs, log);
    return certificates === undefined && token === undefined
      ? ClientSecurity.plaintext
      : new ClientSecurity(certificates, token, serverName);
  }

  /**
   * Channel options: the name that servers must prove to have, `--tls_server_name` before the host that they were found by
   * (default: that of the address).
   */
  channelOptions(host?: string): ChannelOptions {
    const name = this.serverName ?? host;
    return name === undefined ? {} : { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name };
  }

  /** Refuses to show a token to whoever listens on a network. Throws FAILED_PRECONDITION. */
  checkPeer(address: string, isLocal: boolean): void {
    if (this.token === undefined || this.certificates !== undefined || isLocal) return;
    const message = `--token_file: the token is not sent to ${address} in plaintext; give --tls_ca`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'token_file', reason: 'token-in-plaintext' });
  }

  /** Stops watching the files. */
  close(): void {
    this.certificates?.close();
    this.token?.close();
  }
}

function tlsCredentials(files: WatchedFiles<TlsMaterial>): ChannelCredentials {
  const provider = new WatchedCertificates(files);
  const hasIdentity = files.value.identity !== undefined;
  return experimental.createCertificateProviderChannelCredentials(provider, hasIdentity ? provider : null);
}

function bearerOf(token: WatchedFiles<string>): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set('authorization', `Bearer ${token.value}`);
        next(metadata, listener);
      },
    });
}
