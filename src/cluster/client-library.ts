/** The client library, loaded when something first needs it: its 900 models take 60 MiB and half a second, and a controller in a pod needs none of them. */
import type * as library from '@kubernetes/client-node';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is the module
export const clientLibrary = (): typeof library => require('@kubernetes/client-node') as typeof library;
