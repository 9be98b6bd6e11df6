import { GraphBuilder } from '@a2sf/onnx-graph';
import {
  blockFourierCapacity,
  blockFourierInputs,
  blockFourierNumbers,
  blockFourierSize,
  spectrumNumbers,
  type FourierSize,
} from './block-fourier.js';
import { BlockFourier } from './fourier-graph.js';
import { featureNames, filterNets, type HyenaFilter, type HyenaFilters } from './hyena-filters.js';
import { spectrumGivenName, spectrumNames } from './long-convolution.js';
import type { LengthTables, TableInput, TableInputs, TablePart, TableStep } from './text-encoder.js';

/** Fewest rows that features are evaluated for. */
const fewestRows = 512;

/**
 * The tables of an encoder with long convolutions.
 *
 * | part | shape | for |
 * | --- | --- | --- |
 * | fourier | see block-fourier.ts | a size class |
 * | spectrum NAME: spectrum.NAME.real, .imaginary | [G, (H/G) r, r, d] | a filter and a size class |
 * | features NAME: features.NAME.forward, .reverse | [rows, order] | a filter, instead of its spectrum; rows is a power of two, so few of them serve all lengths |
 *
 * 22 filters of 768 channels at 8192 tokens have 1.1 GB of spectra, and 180 MB of features.
 *
 * @param filters of which all rows are wanted; `rowZero`: of which row 0 is, which takes features only.
 */
export function hyenaTables(
  hyena: HyenaFilters,
  filters: readonly HyenaFilter[],
  rowZero: readonly HyenaFilter[],
): LengthTables {
  const { channels, order, positions } = hyena.shape;
  // The parts come at their first use; what the file lacks is told when it is loaded.
  for (const filter of [...filters, ...rowZero]) featuresStep(hyena, filter, 1);
  const rowsFor = (length: number): number =>
    Math.min(positions, Math.max(fewestRows, 2 ** Math.ceil(Math.log2(length))));
  const blank = (...shape: number[]): TableInput => ({
    type: 'float32',
    data: new Float32Array(shape.reduce((x, y) => x * y)),
    shape,
  });
  const given = (value: 0 | 1): TableInput => ({ type: 'int64', data: [value], shape: [1] });
  const each = (names: readonly string[], input: TableInput): TableInputs =>
    Object.fromEntries(names.map((name) => [name, input]));

  const features = (filter: HyenaFilter, rows: number, direct: () => TableInputs): TablePart => ({
    key: `features ${filter.name} ${rows}`,
    bytes: 2 * rows * order * 4,
    direct,
    *steps() {
      yield featuresStep(hyena, filter, rows);
    },
  });
  const spectrum = (filter: HyenaFilter, size: FourierSize, rows: number): TablePart => ({
    key: `spectrum ${filter.name} ${nameOf(size)}`,
    bytes: spectrumNumbers(size, channels) * 4,
    direct: () => ({ [spectrumGivenName(filter)]: given(1), ...each(featureNames(filter), blank(1, order)) }),
    *steps() {
      yield spectrumStep(hyena, filter, size);
    },
    instead: features(filter, rows, () => ({
      [spectrumGivenName(filter)]: given(0),
      ...each(spectrumNames(filter), blank(1, 1, 1, channels)),
    })),
  });
  return {
    partsOf(length) {
      const size = blockFourierSize(length);
      const rows = rowsFor(length);
      const fourier: TablePart = {
        key: `fourier ${nameOf(size)}`,
        bytes: blockFourierNumbers(size) * 4,
        direct: () => blockFourierInputs(size),
        steps: () => [],
      };
      return [
        fourier,
        ...rowZero.map((filter) => features(filter, rows, () => ({}))),
        ...filters.map((filter) => spectrum(filter, size, rows)),
      ];
    },
  };
}

const nameOf = ({ half, radix }: FourierSize): string => `${half} x ${radix}^2`;

function featuresStep(hyena: HyenaFilters, filter: HyenaFilter, rows: number): TableStep {
  const g = new GraphBuilder();
  const outputs = featureNames(filter);
  outputs.forEach((name, i) =>
    g.output(name, hyena.features(g, filter, filterNets[i]!, rows), 'float32', [rows, hyena.shape.order]),
  );
  return { graph: g.serialize(), inputs: {}, outputs };
}

function spectrumStep(hyena: HyenaFilters, filter: HyenaFilter, size: FourierSize): TableStep {
  const { channels, positions } = hyena.shape;
  const capacity = blockFourierCapacity(size);
  const g = new GraphBuilder();
  const fourier = new BlockFourier(g, channels);
  const [forward, reverse] = filterNets.map((net) => hyena.features(g, filter, net, Math.min(capacity, positions)));
  const sequence = hyena.taps(g, filter).sequence(g, [forward!, reverse!], g.ints(capacity), fourier.filterBlocks);
  const outputs = spectrumNames(filter);
  const spectrum = fourier.spectrum(g, fourier.filterStage(g, sequence));
  outputs.forEach((name, i) => g.output(name, spectrum[i]!, 'float32', ['G', 'Hr', 'r', channels]));
  return { graph: g.serialize(), inputs: blockFourierInputs(size), outputs };
}
