import type { PeerCertificate } from 'node:tls';

/** One name of a subjectAltName as Node writes it; names with special characters come as JSON strings. */
const alternativeName = /(DNS|URI|IP Address|email|[\w ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;

/**
 * The names that a verified client certificate gives its bearer: DNS names and URIs of its subjectAltName; the common name
 * only when it has neither (RFC 6125, 6.4.4). Empty for a certificate without a name.
 */
export function callerNames(certificate: Pick<PeerCertificate, 'subject' | 'subjectaltname'>): string[] {
  const names: string[] = [];
  for (const [, kind, written] of (certificate.subjectaltname ?? '').matchAll(alternativeName)) {
    if (kind === 'DNS' || kind === 'URI') names.push(unquoted(written!));
  }
  if (names.length > 0) return names;
  // Typed as one text, but it is a list in a certificate with several.
  const common = certificate.subject?.CN as string | readonly string[] | undefined;
  return typeof common === 'string' ? [common] : [...(common ?? [])];
}

function unquoted(written: string): string {
  return written.startsWith('"') ? String(JSON.parse(written)) : written;
}
