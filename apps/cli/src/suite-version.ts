import { readFileSync } from 'node:fs';

/** Version of the suite, as `--version` and manifests tell it. */
export function suiteVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return version;
}
