import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The workspace's root. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Project {
  readonly name: string;
  readonly folder: string;
  readonly layer: string;
  readonly dependencies: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly references: readonly string[];
}

/** Every nx project, read from its package.json and tsconfig.json. */
export function projects(): Project[] {
  const folders = ['libs', 'apps'].flatMap((room) => readdirSync(join(root, room)).map((name) => `${room}/${name}`));
  return [...folders, 'test'].map((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
      name: string;
      nx: { tags: string[] };
      scripts: Record<string, string>;
      dependencies?: Record<string, string>;
    };
    const config = JSON.parse(readFileSync(join(root, folder, 'tsconfig.json'), 'utf8')) as {
      references?: { path: string }[];
    };
    const layer = manifest.nx.tags.find((tag) => tag.startsWith('layer:'))?.slice('layer:'.length) ?? '';
    return {
      name: manifest.name,
      folder,
      layer,
      dependencies: Object.keys(manifest.dependencies ?? {}),
      scripts: manifest.scripts,
      references: (config.references ?? []).map(({ path }) => join(root, folder, path)),
    };
  });
}

export interface SourceFile {
  readonly path: string;
  /** True for tests and what only they use. */
  readonly isTest: boolean;
  /** Module names as written in import and export statements. */
  readonly imports: readonly string[];
}

/** The TypeScript sources of a project. */
export function sources(project: Project): SourceFile[] {
  const folder = join(root, project.folder, 'src');
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts') && !name.startsWith('gen/'))
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(path, 'utf8');
      const imports = [...text.matchAll(/^(?:import|export)\b(?:[^;'"]*?\bfrom)?\s*'([^']+)'|\bimport\('([^']+)'\)/gm)];
      return {
        path,
        isTest: /\.(test|fixture)\.ts$/.test(name),
        imports: imports.map((match) => (match[1] ?? match[2])!),
      };
    });
}
