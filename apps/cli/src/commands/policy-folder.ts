/** What the policy commands share: which folder is meant, and how its problems are told. */
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Catalogue } from '#events/catalogue.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import type { ParsedPolicies } from '#policy/parse-policies.js';
import { PolicyError, type PolicyProblem } from '#policy/policy-error.js';
import { CliError } from '../failure.js';
import { packageRoot } from '../package-root.js';
import type { CommandContext } from './context.js';

export interface PolicyFolderOptions {
  /** The policy folder; the one beside the configuration (MAYFLY_CONFIG, else the sample's) unless told. */
  dir?: string;
  /** The catalogue folder; the one beside the policy folder unless told. */
  catalogue?: string;
}

/** As it is shown: relative to the working directory where it lies in it. */
export function policyFolder({ dir }: PolicyFolderOptions, env: NodeJS.ProcessEnv): string {
  const sample = join(packageRoot(), 'deploy', 'sample', 'mayfly.yaml');
  return short(dir ?? join(dirname(env.MAYFLY_CONFIG || sample), 'policy'));
}

/** @throws ConfigError naming file, line and key */
export async function catalogueBeside(
  dir: string,
  { catalogue }: PolicyFolderOptions,
  env: NodeJS.ProcessEnv,
): Promise<Catalogue> {
  const folder = short(catalogue ?? join(dir, '..', 'catalogue'));
  return (await loadCatalogue(folder, env, { targets: 'describe' })).catalogue;
}

function short(path: string): string {
  const from = relative(process.cwd(), resolve(path));
  return from.startsWith('..') || isAbsolute(from) ? path : from || '.';
}

/**
 * The policies of a folder. What is wrong with them is answered, all of it; without a catalogue, names that it lacks are not.
 * @throws CliError ERR_CLI_CHECKS_FAILED once it is
 */
export async function policiesIn(
  dir: string,
  catalogue: Catalogue | undefined,
  { output }: CommandContext,
): Promise<ParsedPolicies> {
  // Only here, so that the other commands need not wait until the engine is compiled.
  const { loadPolicies } = await import('#policy/load-policies.js');
  try {
    return await loadPolicies(dir, catalogue);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const { problems } = error;
    output.answer(problems.map(problemText).join('\n'), {
      ok: false,
      dir,
      problems: problems.map(problemDocument),
    });
    throw new CliError('ERR_CLI_CHECKS_FAILED', counted(problems.length, 'problem'));
  }
}

/** `FILE.cedar:LINE:COLUMN: what is wrong`, and what to do about it in the line below. */
function problemText({ code, file, at, message, help }: PolicyProblem): string {
  const where = at === undefined ? file : `${file}:${at.line}:${at.column}`;
  const line = (text: string) => text.replaceAll(/\s*\n\s*/g, ' ');
  return `${where}: ${line(message)} (${code})${help === undefined ? '' : `\n    ${line(help)}`}`;
}

const problemDocument = ({ at, ...problem }: PolicyProblem) => ({ ...problem, ...at });

export const counted = (count: number, what: string): string => {
  const many = what.endsWith('y') ? `${what.slice(0, -1)}ies` : `${what}s`;
  return `${count} ${count === 1 ? what : many}`;
};
