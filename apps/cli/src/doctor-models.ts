import { statSync } from 'node:fs';
import { isA2sfError } from '@a2sf/errors';
import { LanguageModel, SentenceEncoder, Tokenizer } from '@a2sf/inference';
import {
  hasOnnxExport,
  loadLanguageModel,
  ModelWeights,
  openOnnxExport,
  readModelConfig,
  readSentenceTransformersHead,
  resolveModelFolder,
  textEncoderFamilies,
  textEncoderFamilyOf,
  type ModelKind,
} from '@a2sf/model-zoo';
import { bytesInWords, findingOf, type Finding } from './doctor-findings.js';

/** Identities of the embedded models: their names and the hashes of their files. */
const embeddedIds: Readonly<Record<ModelKind, string>> = {
  llm: 'tiny-a2sf-llm@a6eb632a55a140cf',
  encoder: 'tiny-a2sf-encoder@84cffcd952ad7213',
};

const restore = 'restore models/tiny-a2sf from the repository: git checkout -- models/tiny-a2sf';

/** Loads an embedded model as its service does, and compares its hash. */
export async function checkEmbeddedModel(kind: ModelKind): Promise<Finding> {
  const check = kind === 'llm' ? 'embedded model' : 'embedded encoder';
  try {
    const options = { ...resolveModelFolder(undefined, kind), threads: 1 };
    const id = kind === 'llm' ? await loadedModel(options) : await loadedEncoder(options);
    if (id === embeddedIds[kind]) return { check, verdict: 'ok', message: `${id} loads` };
    const message = `its files are those of ${id}, not of ${embeddedIds[kind]}`;
    return { check, verdict: 'problem', message, fix: restore };
  } catch (error) {
    return findingOf(check, 'problem', error, restore);
  }
}

type LoadOptions = Parameters<typeof SentenceEncoder.load>[0];

async function loadedModel(options: LoadOptions): Promise<string> {
  const model = await LanguageModel.load(options);
  await model.dispose();
  return model.info.modelId;
}

async function loadedEncoder(options: LoadOptions): Promise<string> {
  const encoder = await SentenceEncoder.load(options);
  try {
    await encoder.encode({ text: 'Is every number of the answer finite?' });
    return encoder.info.encoderId;
  } finally {
    await encoder.dispose();
  }
}

/** A model on this disk: what was found, and the bytes of its weights. */
export interface CheckedModel {
  readonly findings: readonly Finding[];
  readonly weightBytes: number;
}

/** What a look into a folder tells: the family and size of the model, and its weight files. */
interface Contents {
  readonly told: string;
  readonly files: readonly string[];
}

/**
 * A named model by the checks of its loader, its weights left on the disk: the configuration, that every weight is there in
 * its shape and each file as long as its table says, and the tokenizer.
 */
export function checkModelFolder(kind: ModelKind, name: string, revision: string | undefined): CheckedModel {
  const check = kind === 'llm' ? 'model' : 'encoder';
  const flag = kind === 'llm' ? '--model_name' : '--context_encoder_model';
  let folder: string;
  try {
    ({ folder } = resolveModelFolder(name, kind, revision));
  } catch (error) {
    // Its service loads it from the hub when it starts.
    const willLoad = isA2sfError(error) && error.reason === 'model-not-downloaded';
    const told = findingOf(check, willLoad ? 'warning' : 'problem', error);
    const message = told.message.replace(/^--model_name: /, `${flag}: `);
    const fix = willLoad ? 'none is needed where the hub can be reached' : `name a model that is there by ${flag}`;
    return { findings: [{ ...told, message, fix }], weightBytes: 0 };
  }
  try {
    const { told, files } = kind === 'llm' ? modelContents(folder) : encoderContents(folder);
    const weightBytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
    const message = `${folder}: ${told}, ${bytesInWords(weightBytes)} of weights`;
    return { findings: [{ check, verdict: 'ok', message }, checkTokenizer(`${check} tokenizer`, folder)], weightBytes };
  } catch (error) {
    const { message, ...told } = findingOf(
      check,
      'problem',
      error,
      `download the model again, or name another by ${flag}`,
    );
    return { findings: [{ ...told, message: `${folder}: ${message}` }], weightBytes: 0 };
  }
}

function modelContents(folder: string): Contents {
  const { family, shape, weights } = loadLanguageModel(folder);
  return { told: `${family.name} of ${shape.layers} layers`, files: weights.files };
}

/** As SentenceEncoder.load: a known family from its weights, anything else from its ONNX export. */
function encoderContents(folder: string): Contents {
  const config = readModelConfig(folder);
  readSentenceTransformersHead(folder);
  if (hasOnnxExport(folder) && !textEncoderFamilies.some((family) => family.recognises(config))) {
    return { told: 'an ONNX export', files: openOnnxExport(folder, config).files };
  }
  const family = textEncoderFamilyOf(config);
  const { dimension } = family.readShape(config);
  const weights = new ModelWeights(folder, family.weightPrefixes);
  family.buildGraph(config, weights, 'cls');
  return { told: `${family.name} of dimension ${dimension}`, files: weights.files };
}

function checkTokenizer(check: string, folder: string): Finding {
  try {
    if (Tokenizer.load(folder) !== undefined) return { check, verdict: 'ok', message: 'tokenizer.json can be read' };
    const message = 'the folder holds no tokenizer.json: prompts must be token ids, and a policy cannot be trained';
    return { check, verdict: 'warning', message, fix: 'put the tokenizer.json of the model beside its config.json' };
  } catch (error) {
    return findingOf(check, 'problem', error, 'download tokenizer.json and tokenizer_config.json again');
  }
}
