import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsPaths } from './tls-files.js';

// Authorities and certificates of a test, made by the openssl command in a folder of their own.

/** A reason to skip tests that need certificates. */
export const withoutOpenssl: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl command to make certificates with';

function openssl(...argv: string[]): void {
  const { status, stderr } = spawnSync('openssl', argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${argv[0]}: ${stderr}`);
}

/** What a certificate is made with. */
export interface CertificateOptions {
  readonly commonName?: string;
  /** As openssl writes them: `DNS:a,URI:spiffe://b/c`; default: the loopback address. */
  readonly names?: string;
  /** Negative: expired. */
  readonly days?: number;
}

const loopback = 'DNS:localhost,IP:127.0.0.1';

export class Certificates {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'a2sf-tls-'));
  private made = 0;

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Makes an authority; its certificate's path. */
  authority(name: string): string {
    const [key, cert] = [this.path(`${name}.key`), this.path(`${name}.crt`)];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', '-x509', ...curve, '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`);
    return cert;
  }

  /** Makes a key and a certificate that an authority vouches for; the paths of one end that trusts the same authority. */
  issue(authority: string, o: CertificateOptions = {}): Required<{ [K in keyof TlsPaths]: string }> {
    const base = this.path(`leaf-${this.made++}`);
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const names = o.names === '' ? [] : ['-addext', `subjectAltName=${o.names ?? loopback}`];
    const subject = `/CN=${o.commonName ?? 'test'}`;
    openssl('req', ...curve, '-keyout', `${base}.key`, '-out', `${base}.csr`, '-subj', subject, ...names);
    const by = ['-CA', this.path(`${authority}.crt`), '-CAkey', this.path(`${authority}.key`)];
    const days = ['-days', String(o.days ?? 2)];
    openssl('x509', '-req', '-in', `${base}.csr`, ...by, ...days, '-copy_extensions', 'copy', '-out', `${base}.crt`);
    return { tlsCert: `${base}.crt`, tlsKey: `${base}.key`, tlsCa: this.path(`${authority}.crt`) };
  }

  /** A copy of some files that a test then replaces. */
  copy({ tlsCert, tlsKey, tlsCa }: ReturnType<Certificates['issue']>): ReturnType<Certificates['issue']> {
    const base = this.path(`copy-${this.made++}`);
    const copied = { tlsCert: `${base}.crt`, tlsKey: `${base}.key`, tlsCa: `${base}.ca` };
    copyFileSync(tlsCert, copied.tlsCert);
    copyFileSync(tlsKey, copied.tlsKey);
    copyFileSync(tlsCa, copied.tlsCa);
    return copied;
  }

  /** Writes a file as one step. */
  write(path: string, content: string | Buffer): string {
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
