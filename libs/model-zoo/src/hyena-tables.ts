import { GraphBuilder } from '@a2sf/onnx-graph';
import {
  BlockFourier,
  blockFourierCapacity,
  blockFourierInputs,
  blockFourierNumbers,
  blockFourierSize,
  type FourierSize,
} from './block-fourier.js';
import { featureNames, filterNets, type HyenaFilter, type HyenaFilters } from './hyena-filters.js';
import { spectraGivenName, spectrumNames } from './long-convolution.js';
import type { LengthTables, TableInput, TableInputs, TablePart, TableStep } from './text-encoder.js';

/** Most bytes of the spectra of one size class; classes above are computed from the features in every run. */
const defaultSpectrumBytes = 320 * 1024 ** 2;

/** Fewest rows that features are evaluated for. */
const fewestRows = 512;

/**
 * The tables of an encoder with long convolutions.
 *
 * | part | shape | for |
 * | --- | --- | --- |
 * | fourier | see block-fourier.ts | a size class |
 * | row zero: features.NAME.forward, .reverse | [rows, order] | filters of which only row 0 is wanted, rows >= L or all M |
 * | spectra: spectrum.NAME.real, .imaginary | [H r, r, d] | a size class, while all of them are at most `spectrumBytes` |
 * | features: features.NAME.forward, .reverse | [rows, order] | longer texts; rows is a power of two, so few of them serve all |
 *
 * 22 filters of 768 channels at 8192 tokens have 1.1 GB of spectra, and 180 MB of features.
 *
 * @param filters of which all rows are wanted; `rowZero`: of which row 0 is.
 */
export function hyenaTables(
  hyena: HyenaFilters,
  filters: readonly HyenaFilter[],
  rowZero: readonly HyenaFilter[],
  spectrumBytes = defaultSpectrumBytes,
): LengthTables {
  const { channels, order, positions } = hyena.shape;
  // The parts come at their first use; what the file lacks is told when it is loaded.
  for (const filter of [...filters, ...rowZero]) featuresStep(hyena, filter, 1);
  const spectraBytes = ({ half, radix }: FourierSize): number =>
    filters.length * 2 * (half + 1) * radix ** 2 * channels * 4;
  const rowsFor = (length: number): number =>
    Math.min(positions, Math.max(fewestRows, 2 ** Math.ceil(Math.log2(length))));
  const blank: TableInput = { type: 'float32', data: new Float32Array(channels), shape: [1, 1, channels] };
  const noFeatures: TableInput = { type: 'float32', data: new Float32Array(order), shape: [1, order] };
  const given = (value: 0 | 1): TableInput => ({ type: 'int64', data: [value], shape: [1] });
  const each = (names: readonly string[], input: TableInput): TableInputs =>
    Object.fromEntries(names.map((name) => [name, input]));

  const featuresPart = (
    kind: string,
    of: readonly HyenaFilter[],
    rows: number,
    direct: () => TableInputs,
  ): TablePart => ({
    key: `${kind} ${rows}`,
    bytes: of.length * 2 * rows * order * 4,
    direct,
    *steps() {
      for (const filter of of) yield featuresStep(hyena, filter, rows);
    },
  });
  const spectraPart = (size: FourierSize): TablePart => ({
    key: `spectra ${nameOf(size)}`,
    bytes: spectraBytes(size),
    direct: () => ({ [spectraGivenName]: given(1), ...each(filters.flatMap(featureNames), noFeatures) }),
    *steps() {
      for (const filter of filters) yield spectrumStep(hyena, filter, size);
    },
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
      const all =
        spectraBytes(size) <= spectrumBytes
          ? spectraPart(size)
          : featuresPart('features', filters, rows, () => ({
              [spectraGivenName]: given(0),
              ...each(filters.flatMap(spectrumNames), blank),
            }));
      return [fourier, ...(rowZero.length === 0 ? [] : [featuresPart('row zero', rowZero, rows, () => ({}))]), all];
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
  const fourier = new BlockFourier(g);
  const [forward, reverse] = filterNets.map((net) => hyena.features(g, filter, net, Math.min(capacity, positions)));
  const sequence = hyena.taps(g, filter).sequence(g, [forward!, reverse!], g.ints(capacity));
  const outputs = spectrumNames(filter);
  const spectrum = fourier.transformFilter(g, sequence, channels);
  outputs.forEach((name, i) => g.output(name, spectrum[i]!, 'float32', ['fourierHr', 'fourierR', channels]));
  return { graph: g.serialize(), inputs: blockFourierInputs(size), outputs };
}
