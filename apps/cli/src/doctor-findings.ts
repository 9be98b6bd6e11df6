/** How a check ended: only a `problem` makes the command fail. */
export type Verdict = 'ok' | 'warning' | 'problem';

/** What a check found. */
export interface Finding {
  /** What was looked at, in one or two words. */
  readonly check: string;
  readonly verdict: Verdict;
  readonly message: string;
  /** What to do about it; none where all is well, or where the message says it. */
  readonly fix?: string;
}

/** A finding of an error: its message, of one line, and the remedy. */
export function findingOf(check: string, verdict: Verdict, error: unknown, fix?: string): Finding {
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, '; ');
  return { check, verdict, message, ...(fix === undefined ? {} : { fix }) };
}

/** Findings as lines: verdict, check and message in columns, the fix below its message; then how many of each there are. */
export function findingLines(findings: readonly Finding[]): string {
  const verdicts = Math.max(...findings.map(({ verdict }) => verdict.length));
  const checks = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, verdict, message, fix }) => [
    `${verdict.padEnd(verdicts)}  ${check.padEnd(checks)}  ${message}`,
    ...(fix === undefined ? [] : [`${' '.repeat(verdicts + checks + 4)}fix: ${fix}`]),
  ]);
  const counted = (['problem', 'warning'] as const).map((verdict) => {
    const count = findings.filter((finding) => finding.verdict === verdict).length;
    return `${count === 0 ? 'no' : count} ${verdict}${count === 1 ? '' : 's'}`;
  });
  return [...lines, '', counted.join(', ')].map((line) => `${line}\n`).join('');
}

/** True when nothing is a problem. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'problem');
}

/** A number of bytes for people: `3.4 MiB`. */
export function bytesInWords(bytes: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]!}`;
}
