// Writes libs/contracts/src/gen (types of the protos) and libs/contracts/descriptors.binpb (for reflection): `npm run generate`.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const out = process.argv[2] ?? 'libs/contracts/src/gen';
const binpb = process.argv[3] ?? 'libs/contracts/descriptors.binpb';
const names = ['encoder', 'generator', 'reward', 'policy'];
rmSync(out, { recursive: true, force: true });
const bin = (name) => `node_modules/.bin/${name}`;
execFileSync(
  bin('proto-loader-gen-types'),
  [
    '--grpcLib=@grpc/grpc-js',
    '--includeDirs=protos',
    '--longs=String',
    '--enums=String',
    '--defaults',
    '--oneofs',
    '--targetFileExtension=.ts',
    '--importFileExtension=.js',
    `--outDir=${out}`,
    ...names.map((name) => `a2sf/${name}/v1/${name}.proto`),
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
execFileSync(bin('buf'), ['build', 'protos', '--exclude-source-info', '-o', binpb], { stdio: 'inherit' });
