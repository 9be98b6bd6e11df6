/** A device, and why tests do not run on it (false: they do). */
export interface TestedDevice {
  readonly device: string;
  readonly skip: string | false;
}

const asked = (device: string, variable: string): TestedDevice => ({
  device,
  skip: process.env[variable] === '1' ? false : `${variable}=1 is not set`,
});

/** Where the tests of models run: on the CPU, and on what the environment says is there. */
export const testedDevices: readonly TestedDevice[] = [
  { device: 'cpu', skip: false },
  asked('webgpu', 'A2SF_WEBGPU'),
  asked('cuda', 'A2SF_CUDA'),
];

/** A way to run a model that gives the same texts as every other. */
export interface TestedEngine {
  readonly name: string;
  readonly options: { readonly device: string; readonly stepsPerRun?: number };
  readonly skip: string | false;
}

/** Every device, and the CPU with three tokens a run, as cards decode. */
export const testedEngines: readonly TestedEngine[] = [
  ...testedDevices.map(({ device, skip }) => ({ name: device, options: { device }, skip })),
  { name: 'cpu, three tokens a run', options: { device: 'cpu', stepsPerRun: 3 }, skip: false },
];
