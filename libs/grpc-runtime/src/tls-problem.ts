/** How OpenSSL ends its lines: library, function, text. */
const openssl = /SSL routines:\w*:([^:]+)/;
/** What Node finds wrong with a certificate, as grpc-js passes it on. */
const verification = /Last error: (?:Error(?: \[\w+\])?: )?([^.]*\b(?:certificate|CA)\b[^.]*)/;

/**
 * Why a connection could not be made, when that was TLS, from the words of grpc-js; undefined else. A server that refuses
 * the client's certificate mostly just hangs up: TLS 1.3 lets the client's side of the handshake end before.
 */
export function tlsProblem(details: string): string | undefined {
  const routine = openssl.exec(details)?.[1];
  if (routine === 'wrong version number') return 'it does not speak TLS';
  return (routine ?? verification.exec(details)?.[1])?.trim().slice(0, 200);
}
