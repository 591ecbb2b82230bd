/** The Cedar engine (WebAssembly, synchronous), loaded the one safe way. Nothing else imports the package's code. */
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type * as CedarWasm from '@cedar-policy/cedar-wasm/nodejs';

// Inlined calls into WebAssembly crash Node 20 in the deoptimizer under load (SIGTRAP, nothing to catch).
// The flag must stand before the module is compiled, which a static import would do first.
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

export const cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as typeof CedarWasm;
