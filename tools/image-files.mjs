// Makes the folder that the image of one app holds, and nothing else: `node tools/image-files.mjs encoder FOLDER [--cuda]`.
// The Dockerfile copies this folder; test/src/k8s/image.test.ts runs every app from it.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [app, folder, ...flags] = process.argv.slice(2);
const cuda = flags.includes('--cuda');

function fail(problem) {
  console.error(`image-files: ${problem}`);
  process.exit(1);
}

if (app === undefined || folder === undefined || flags.some((flag) => flag !== '--cuda')) {
  fail('usage: node tools/image-files.mjs APP FOLDER [--cuda]');
}
if (!existsSync(join(root, 'apps', app, 'dist/main.js'))) fail(`apps/${app} is not built, or is no app with a main.js`);
if (existsSync(folder) && readdirSync(folder).length > 0) fail(`${folder} is not empty`);

/** What npm says of the app's production dependencies. */
function npm(...args) {
  const run = spawnSync('npm', [...args, '--omit', 'dev', '--workspace', `apps/${app}`], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (run.status !== 0) fail(`npm ${args.join(' ')} failed:\n${run.stderr}`);
  return run.stdout;
}

const paths = npm('ls', '--all', '--parseable')
  .split('\n')
  .filter((path) => path !== '' && path !== root)
  .map((path) => relative(root, realpathSync(path)));
/** Packages that hold types alone. */
const typesOnly = /node_modules\/(@types\/|undici-types$)/;
const packages = [...new Set(paths)].filter((path) => path.includes('node_modules') && !typesOnly.test(path));
const workspaces = [...new Set(paths)].filter((path) => /^(apps|libs)\/[^/]+$/.test(path));

/** Types, source maps, sources and what only tests use are left behind. */
const leftOut = /\.(d\.[cm]?ts|[cm]?ts|map|tsbuildinfo)$|\.(test|fixture)\.js$/;
const providers = /libonnxruntime_providers_/;
const native = ['onnxruntime-node', 'bin', 'napi-v6'].join(sep);
const platform = join(process.platform, process.arch);

/** True for the folders that lead to this platform's onnxruntime, and all outside onnxruntime's binaries. */
function fitsPlatform(path) {
  const at = path.indexOf(native + sep);
  if (at < 0) return true;
  const rest = path.slice(at + native.length + 1);
  if (providers.test(rest) && !cuda) return false;
  return platform.startsWith(rest) || rest.startsWith(platform);
}

function copy(path, filter = () => true) {
  const from = join(root, path);
  cpSync(from, join(folder, path), {
    recursive: true,
    filter: (name) => name === from || (!leftOut.test(name) && fitsPlatform(name) && filter(name)),
  });
}

/**
 * CycloneDX bill of what was copied. (`npm sbom --omit dev` leaves out what a development dependency needs as well:
 * protobufjs and all below it.)
 */
function bill(contents) {
  const { packages: locked } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const component = (path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
    const [algorithm, digest] = locked[path]?.integrity?.split('-') ?? [];
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
    return {
      type: 'library',
      'bom-ref': path,
      name,
      version,
      purl,
      ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
      ...(algorithm === 'sha512'
        ? { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] }
        : {}),
    };
  };
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { ...component(`apps/${app}`), type: 'application' } },
    components: contents.filter((path) => path !== `apps/${app}`).map(component),
  };
}

mkdirSync(folder, { recursive: true });
// A package inside another's node_modules is in the list itself, if it is needed.
for (const path of packages) copy(path, (name) => basename(name) !== 'node_modules');
for (const path of workspaces) {
  const present = ['package.json', 'dist', 'protos', 'descriptors.binpb'].filter((name) =>
    existsSync(join(root, path, name)),
  );
  for (const name of present) copy(join(path, name));
  const { name } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
  const link = join(folder, 'node_modules', name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(relative(dirname(link), join(folder, path)), link);
}
copy('protos');
copy('LICENSE');
if (app === 'trainer') copy('models/tiny-a2sf/data');
else if (workspaces.includes('libs/model-zoo')) copy('models/tiny-a2sf');
writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(bill([...workspaces, ...packages]), null, 2)}\n`);

const provider = join(folder, 'node_modules', native, platform, 'libonnxruntime_providers_cuda.so');
if (cuda && !existsSync(provider)) fail('--cuda: onnxruntime’s CUDA provider is not installed; see the Dockerfile');
console.log(`${folder}: apps/${app}, ${workspaces.length - 1} libs, ${packages.length} packages`);
