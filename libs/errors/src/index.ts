export { A2sfError, isA2sfError, type ErrorCode, type ErrorDetails } from './a2sf-error.js';
