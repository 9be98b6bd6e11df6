import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { A2sfError } from '@a2sf/errors';
import type { Logger } from '@a2sf/observability';
import { type FlaggedFile, WatchedFiles } from './watched-files.js';

/** Where the PEM files of one end of a connection are. */
export interface TlsPaths {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsCa?: string | undefined;
}

/** Certificate and key of this end, and the authorities that the other end's certificate may come from. */
export interface TlsMaterial {
  readonly identity: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly ca: Buffer | undefined;
}

function unfit({ flag, path }: FlaggedFile, problem: string, cause?: unknown): A2sfError {
  return new A2sfError('FAILED_PRECONDITION', `--${flag}: ${path} ${problem}`, {
    field: flag,
    reason: 'bad-certificate',
    ...(cause === undefined ? {} : { cause }),
  });
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(file: FlaggedFile, pem: Buffer): X509Certificate[] {
  const blocks = pem.toString('latin1').match(pemCertificate) ?? [];
  if (blocks.length === 0) throw unfit(file, 'holds no certificate in PEM');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw unfit(file, 'holds a damaged certificate', error);
  }
}

function checkKey(keyFile: FlaggedFile, pem: Buffer, certificate: X509Certificate): void {
  let key;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw unfit(keyFile, 'holds no private key in PEM without a passphrase', error);
  }
  if (!certificate.checkPrivateKey(key)) throw unfit(keyFile, 'is not the key of --tls_cert');
}

/**
 * The PEM files of this end, read again every `reloadMs`; undefined when none is named.
 *
 * @param log takes warnings, and has the files watched.
 * @throws A2sfError NOT_FOUND for a file that is missing, FAILED_PRECONDITION with reason `bad-certificate` for files that
 * hold something else or do not fit together. Which of the three are needed is the caller's to know.
 */
export function tlsFiles(paths: TlsPaths, reloadMs: number, log?: Logger): WatchedFiles<TlsMaterial> | undefined {
  const { tlsCert, tlsKey, tlsCa } = paths;
  const named: [string, string | undefined][] = [
    ['tls_cert', tlsCert],
    ['tls_key', tlsKey],
    ['tls_ca', tlsCa],
  ];
  const files = named.flatMap(([flag, path]) => (path === undefined ? [] : [{ flag, path }]));
  if (files.length === 0) return undefined;

  const parse = (contents: readonly Buffer[]): TlsMaterial => {
    const of = (flag: string): { file: FlaggedFile; pem: Buffer } | undefined => {
      const at = files.findIndex((file) => file.flag === flag);
      return at < 0 ? undefined : { file: files[at]!, pem: contents[at]! };
    };
    const [cert, key, ca] = [of('tls_cert'), of('tls_key'), of('tls_ca')];
    if (ca !== undefined) certificatesIn(ca.file, ca.pem);
    if (cert === undefined || key === undefined) return { identity: undefined, ca: ca?.pem };
    const own = certificatesIn(cert.file, cert.pem)[0]!;
    checkKey(key.file, key.pem, own);
    try {
      createSecureContext({ cert: cert.pem, key: key.pem });
    } catch (error) {
      throw unfit(cert.file, `is not accepted: ${(error as Error).message}`, error);
    }
    const { validTo, subjectAltName } = own;
    if (Date.parse(validTo) < Date.now()) log?.warn({ validTo, subjectAltName }, '--tls_cert has expired');
    else log?.info({ validTo, subjectAltName }, 'certificate loaded');
    return { identity: { cert: cert.pem, key: key.pem }, ca: ca?.pem };
  };
  return new WatchedFiles({ files, parse, reloadMs, log });
}
