/** Reads a policy folder: `schema.cedarschema` and every `*.cedar` beside it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ParsedPolicies, parsePolicies } from './parse-policies.js';
import { PolicyError } from './policy-error.js';
import type { SourceText } from './source-text.js';

const SCHEMA = 'schema.cedarschema';

/** @throws PolicyError for a folder that cannot be read, has no schema or no policy, or does not parse. */
export async function loadPolicies(dir: string): Promise<ParsedPolicies> {
  const names = (await listed(dir)).filter((name) => name.endsWith('.cedar')).sort();
  const schema = await source(join(dir, SCHEMA));
  if (names.length === 0) throw missing(dir, 'no *.cedar file in it');
  return parsePolicies(schema, await Promise.all(names.map((name) => source(join(dir, name)))));
}

async function listed(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (cause) {
    throw missing(dir, 'cannot be read', cause);
  }
}

async function source(file: string): Promise<SourceText> {
  try {
    return {
      file,
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file)),
    };
  } catch (cause) {
    throw missing(file, 'cannot be read as UTF-8', cause);
  }
}

const missing = (file: string, message: string, cause?: unknown) =>
  new PolicyError([{ code: 'ERR_POLICY_MISSING', file, message }], { cause });
