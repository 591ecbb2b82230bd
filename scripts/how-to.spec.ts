/** What the how-tos show is compiled, and run by the tests of the examples or of the library. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { itShowsCompiledCode } from '../test/support/snippets.js';

const folder = 'docs/how-to';

for (const page of readdirSync(join(import.meta.dirname, '..', folder)).sort())
  itShowsCompiledCode(`${folder}/${page}`);
