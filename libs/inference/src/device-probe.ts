import { GraphBuilder } from '@a2sf/onnx-graph';
import { briefly } from './device.js';
import { float32, OnnxSession } from './onnx-session.js';

// A program: adds two numbers on the device that is its argument. Ends with 1, and the reason on stdout, if that fails.
const device = process.argv[2] ?? 'cpu';
try {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [1]);
  g.output('y', g.op('Add', [x, x]), 'float32', [1]);
  const session = await OnnxSession.create(g.serialize(), { threads: 1, device });
  const { y } = await session.run({ x: float32(new Float32Array([2]), [1]) }, ['y']);
  if ((y!.data as Float32Array)[0] !== 4) throw new Error('it computes wrong numbers');
} catch (error) {
  process.stdout.write(briefly((error as Error).cause ?? error));
  process.exitCode = 1;
}
