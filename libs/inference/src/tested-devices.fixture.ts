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
