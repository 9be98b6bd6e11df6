// Writes what is generated: the types of the protos (libs/contracts/src/gen), their descriptors and those of the health and
// reflection services (for reflection): `npm run generate`, or with three paths to write elsewhere.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const out = process.argv[2] ?? 'libs/contracts/src/gen';
const binpb = process.argv[3] ?? 'libs/contracts/descriptors.binpb';
const runtimeBinpb = process.argv[4] ?? 'libs/grpc-runtime/descriptors.binpb';
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
for (const [protos, out] of [
  ['protos', binpb],
  ['libs/grpc-runtime/protos', runtimeBinpb],
]) {
  execFileSync(bin('buf'), ['build', protos, '--exclude-source-info', '-o', out], { stdio: 'inherit' });
}
