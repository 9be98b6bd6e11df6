export { option, type Option, type Options, type Resolved } from './option.js';
export { boolean, integer, listOf, number, oneOf, port, text, type Bounds } from './schemas.js';
export { resolveOptions, usageError, type Resolution, type Source } from './resolve.js';
export { helpText, type CommandDescription, type DryRun } from './command-line.js';
export { describeResolution, dryRunText, resolutionLines, type ResolvedOption } from './describe.js';
export { envOf, flagOf, nearest, snakeCase } from './spelling.js';
export { failure, runMain } from './run-main.js';
