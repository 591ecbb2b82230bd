/**
 * Lets a plain `node --conditions=source --import <this file>` run the repository's TypeScript, for processes that a
 * test starts and kills. jest does the same inside its own process.
 */
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transform } from '@swc/core';

// Node runs the hooks below in a thread of their own.
if (isMainThread) register(import.meta.url);

const isSource = (url) => url?.startsWith('file:') && url.endsWith('.ts');
const options = {
  swcrc: false,
  module: { type: 'es6' },
  jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
};

export function resolve(specifier, context, next) {
  const relative = specifier.startsWith('.') && isSource(context.parentURL);
  return next(relative ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

export async function load(url, context, next) {
  if (!isSource(url)) return next(url, context);
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), options);
  return { format: 'module', source: code, shortCircuit: true };
}
