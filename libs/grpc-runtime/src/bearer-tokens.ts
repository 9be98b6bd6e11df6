import { createHash, timingSafeEqual } from 'node:crypto';
import { A2sfError } from '@a2sf/errors';
import type { Logger } from '@a2sf/observability';
import { type FlaggedFile, WatchedFiles } from './watched-files.js';

/** Characters of a bearer token (RFC 6750, 2.1); shorter ones can be guessed. */
const wellFormed = /^[\w.~+/-]{16,4096}=*$/;
const maxTokens = 1024;

function unfit({ flag, path }: FlaggedFile, problem: string): A2sfError {
  return new A2sfError('FAILED_PRECONDITION', `--${flag}: ${path} ${problem}`, {
    field: flag,
    reason: 'bad-token-file',
  });
}

/** The tokens of a file, one a line; blank lines and lines that begin with # are passed over. No error shows a token. */
function tokensIn(file: FlaggedFile, content: Buffer): string[] {
  const lines = content
    .toString('utf8')
    .split(/\r?\n/)
    .map((line) => line.trim());
  const tokens = lines.flatMap((line, i) => {
    if (line === '' || line.startsWith('#')) return [];
    if (wellFormed.test(line)) return [line];
    throw unfit(file, `line ${i + 1} is no token: 16 to 4096 of A-Z a-z 0-9 - . _ ~ + /`);
  });
  if (tokens.length === 0 || tokens.length > maxTokens) throw unfit(file, `must hold 1 to ${maxTokens} tokens`);
  return tokens;
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

/** The tokens that a server takes, by their digests. */
export class TokenSet {
  private readonly digests: readonly Buffer[];

  constructor(tokens: readonly string[]) {
    this.digests = tokens.map(digest);
  }

  /** Whether a token is one of them; in a time that tells neither which nor how much of it was right. */
  has(token: string): boolean {
    const given = digest(token);
    let found = 0;
    for (const known of this.digests) found |= Number(timingSafeEqual(known, given));
    return found === 1;
  }
}

/** The tokens that a server takes, read again when their file changes; undefined without a file. */
export function acceptedTokens(
  path: string | undefined,
  reloadMs: number,
  log: Logger,
): WatchedFiles<TokenSet> | undefined {
  if (path === undefined) return undefined;
  const file = { flag: 'auth_token_file', path };
  return new WatchedFiles({
    files: [file],
    parse: ([content]) => new TokenSet(tokensIn(file, content!)),
    reloadMs,
    log,
  });
}

/** The token that a client sends, the first of its file, read again when that changes; undefined without a file. */
export function ownToken(path: string | undefined, reloadMs: number, log?: Logger): WatchedFiles<string> | undefined {
  if (path === undefined) return undefined;
  const file = { flag: 'token_file', path };
  return new WatchedFiles({ files: [file], parse: ([content]) => tokensIn(file, content!)[0]!, reloadMs, log });
}
