export * from './load.js';
export type * from './messages.js';
