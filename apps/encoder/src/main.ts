import { runMain } from '@a2sf/config';
import { run } from './run.js';

runMain('a2sf-encoder', run);
