/** The client library, for its reader of kubeconfig files; everything else takes its types alone. It is loaded when a kubeconfig is read: its 900 models take 60 MiB and half a second. */
import type * as library from '@kubernetes/client-node';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is the module
export const clientLibrary = (): typeof library => require('@kubernetes/client-node') as typeof library;
