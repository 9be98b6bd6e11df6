import { runMain } from '@a2sf/config';
import { dispatch } from './dispatch.js';

runMain('a2sf', dispatch);
