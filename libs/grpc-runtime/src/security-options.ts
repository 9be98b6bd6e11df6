import { type Resolved, boolean, number, oneOf, option, text } from '@a2sf/config';

/** How a server with TLS asks for a client's certificate. */
export const tlsClientAuths = ['require', 'request', 'none'] as const;
export type TlsClientAuth = (typeof tlsClientAuths)[number];

const file = text();

function tlsOptions(group: string) {
  return {
    tlsCert: option({
      schema: file,
      description: 'PEM file of the own certificate, with those between it and the authority',
      group,
    }),
    tlsKey: option({ schema: file, description: 'PEM file of its private key', group }),
    tlsCa: option({
      schema: file,
      description: "PEM file of the authorities that the other end's certificate may come from",
      group,
    }),
    tlsReloadSeconds: option({
      schema: number({ min: 0.05, max: 86_400 }),
      description: 'seconds after which changed certificates and tokens are taken, for new connections and calls',
      default: 10,
      group,
    }),
  } as const;
}

/** The flags of a client, beside those of its certificates. */
export function callerOptions(group: string) {
  return {
    tlsServerName: option({
      schema: text({ maxLength: 253 }),
      description: 'name that the certificates of all servers called must have (default: the host of their address)',
      group,
    }),
    tokenFile: option({
      schema: file,
      description: 'file whose first line is the bearer token to send (default: none)',
      group,
    }),
  } as const;
}

/** The flags by which a client trusts and proves itself: none for plaintext, --tls_ca for TLS, all three for mutual TLS. */
export function clientSecurityOptions(group: string) {
  return { ...tlsOptions(group), ...callerOptions(group) } as const;
}

/** The flags by which a server proves itself and lets clients in: the first three for mutual TLS. */
export function serverSecurityOptions(group: string) {
  return {
    ...tlsOptions(group),
    tlsClientAuth: option({
      schema: oneOf(tlsClientAuths),
      description: 'certificate of a client: require, request (health checks may lack it) or none',
      default: 'require',
      group,
    }),
    authTokenFile: option({
      schema: file,
      description: 'file of bearer tokens, one a line, of which every call but health checks needs one (default: none)',
      group,
    }),
    insecure: option({
      schema: boolean,
      description: 'speak plaintext on a --host that other machines reach',
      default: false,
      group,
    }),
  } as const;
}

const client = clientSecurityOptions('');
const server = serverSecurityOptions('');

/** Values of {@link clientSecurityOptions}. */
export type ClientSecurityOptions = Resolved<typeof client>;
/** Values of {@link serverSecurityOptions}. */
export type ServerSecurityOptions = Resolved<typeof server>;
