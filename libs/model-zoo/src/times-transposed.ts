import type { Scope, Value } from '@a2sf/onnx-graph';

/**
 * x y' of the two innermost axes of x [..., M, D] and y [..., N, D]: [..., M, N]. Written with ONNX's own operators:
 * onnxruntime fuses them where its provider has the fused product (CPU, CUDA), while on WebGPU, which lacks it, an explicit
 * FusedMatMul would run on the CPU and stop the device in every layer.
 * @param axes number of axes of both.
 */
export function timesTransposed(g: Scope, x: Value, y: Value, axes: number): Value {
  const perm = Array.from({ length: axes }, (_, axis) => axis);
  [perm[axes - 2], perm[axes - 1]] = [axes - 1, axes - 2];
  return g.op('MatMul', [x, g.op('Transpose', [y], { perm })]);
}
