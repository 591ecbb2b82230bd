/** Reads a policy folder: `schema.cedarschema` and every `*.cedar` beside it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalogue } from '#events/catalogue.js';
import { type ParsedPolicies, parsePolicies } from './parse-policies.js';
import { PolicyError, type PolicyProblem } from './policy-error.js';
import type { SourceText } from './source-text.js';

const SCHEMA = 'schema.cedarschema';

/** @throws PolicyError for a folder that cannot be read, has no schema or no policy, or does not parse; listing all that is wrong. */
export async function loadPolicies(dir: string, catalogue?: Catalogue): Promise<ParsedPolicies> {
  const names = (await listed(dir)).filter((name) => name.endsWith('.cedar')).sort();
  const read = await Promise.allSettled([SCHEMA, ...names].map((name) => source(join(dir, name))));
  const problems = [
    ...read.flatMap((each) => (each.status === 'rejected' ? problemsOf(each.reason) : [])),
    ...(names.length === 0 ? missing(dir, 'no *.cedar file in it').problems : []),
  ];
  const [first, ...rest] = problems;
  if (first !== undefined) throw new PolicyError([first, ...rest]);
  const [schema, ...files] = read.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  return parsePolicies(schema as SourceText, files, catalogue);
}

const problemsOf = (reason: unknown): readonly PolicyProblem[] => {
  if (reason instanceof PolicyError) return reason.problems;
  throw reason;
};

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
