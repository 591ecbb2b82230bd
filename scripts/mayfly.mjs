#!/usr/bin/env node
/** The command `mayfly`. Its own commands are the development ones unless the environment says otherwise. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const main = join(import.meta.dirname, '..', 'dist', 'apps', 'cli', 'src', 'main.js');
if (existsSync(main)) {
  process.env.MAYFLY_ENV ??= 'development';
  await import(pathToFileURL(main).href);
} else {
  process.stderr.write('mayfly: it is not built yet. Run `npm run setup`, then try again.\n');
  process.exitCode = 2;
}
