/**
 * `mayfly policy explain`: why a recorded call was decided as it was, by which policies, where these stand today, on which facts, and
 * what would have to be otherwise. Nothing is issued, and nothing is written.
 */
import { loadConfig } from '#config/load.js';
import { uuidV7 } from '#events/inbound.js';
import type { ParsedPolicies } from '#policy/parse-policies.js';
import { PolicyError } from '#policy/policy-error.js';
import { inLettersOf, type WhereOptions } from '../dlq/letters-database.js';
import { CliError } from '../failure.js';
import { explanationText } from '../policy/explanation-text.js';
import { readCall } from '../policy/recorded-call.js';
import { asTaskId } from '../state-folder.js';
import type { CommandContext } from './context.js';
import { counted, policyFolder } from './policy-folder.js';

export interface PolicyExplainOptions extends WhereOptions {
  /** Today's policies; those of the broker's configuration unless told. */
  dir?: string;
  task?: string;
  agent?: string;
}

/** @throws CliError ERR_CLI_CHECKS_FAILED where somebody changed the inputs */
export async function policyExplain(
  callId: string,
  options: PolicyExplainOptions,
  context: CommandContext,
): Promise<void> {
  const { env, output } = context;
  const { task, agent } = options;
  if (!uuidV7.safeParse(callId).success)
    throw new CliError('ERR_CLI_USAGE', `\`${callId}\` is no call id: a lower-case UUIDv7 is wanted`);
  if (task !== undefined) asTaskId(task);
  const dir = policyFolder(folderOf(options, env), env);
  const { decisions, followed } = await inLettersOf('broker', options, env, (tx) =>
    readCall(tx, { callId, task, agent }),
  );
  const last = decisions.at(-1) ?? decisions[0];
  const earlier = decisions.slice(0, -1).map(({ decided }) => decided);
  const policies = await todaysPolicies(dir, context);
  const { explainCall } = await import('#policy/explain/explain-call.js');

  const explanation = explainCall(last, policies);
  const ok = explanation.inputs.state !== 'altered';
  output.answer(explanationText(explanation, { earlier, followed }), {
    ...{ ok, dir, ...explanation, earlier, followed },
  });
  if (!ok) throw new CliError('ERR_CLI_CHECKS_FAILED', 'the kept inputs are not those that were decided on');
}

function folderOf({ dir, config }: PolicyExplainOptions, env: NodeJS.ProcessEnv): { dir?: string } {
  if (dir !== undefined) return { dir };
  return config === undefined ? {} : { dir: loadConfig(config, env, 'broker').policy };
}

/** Null where they cannot be used: what was recorded can be told all the same. */
async function todaysPolicies(dir: string, { output }: CommandContext): Promise<ParsedPolicies | null> {
  const { loadPolicies } = await import('#policy/load-policies.js');
  try {
    return await loadPolicies(dir);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    output.remark(`${dir}: ${counted(error.problems.length, 'problem')}: mayfly policy check --dir ${dir}`);
    return null;
  }
}
