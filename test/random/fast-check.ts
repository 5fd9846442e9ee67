/** fast-check, whose properties all begin with the seed of the run. */
import { configureGlobal, readConfigureGlobal } from 'fast-check';
import { seed } from './seed.ts';

configureGlobal({ ...readConfigureGlobal(), seed });

export * from 'fast-check';
