export { options } from './options.js';
export { run } from './run.js';
