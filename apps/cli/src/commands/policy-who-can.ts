/**
 * `mayfly policy who-can`: which agents of the catalogue could do something with a dataset, and through which tools, if a task declared
 * it? Offline, from a policy folder and the catalogue; nothing is asked of a broker, and nothing is issued.
 */
import type { Catalogue } from '#events/catalogue.js';
import { CliError } from '../failure.js';
import { reachText } from '../policy/reach-text.js';
import type { CommandContext } from './context.js';
import { catalogueBeside, policiesIn, policyFolder, type PolicyFolderOptions } from './policy-folder.js';

export interface PolicyWhoCanOptions extends PolicyFolderOptions {
  dataset: string;
  action: string;
  tool?: string;
  agent?: string;
}

export async function policyWhoCan(options: PolicyWhoCanOptions, context: CommandContext): Promise<void> {
  const { env, output } = context;
  const { dataset, action, tool, agent } = options;
  const dir = policyFolder(options, env);
  const catalogue = await catalogueBeside(dir, options, env);
  assertNames(options, catalogue);
  const policies = await policiesIn(dir, catalogue, context);
  const { toolsFor, whoCan } = await import('#policy/reach/who-can.js');

  const serving = toolsFor(catalogue, action);
  if (tool !== undefined && !serving.includes(tool))
    throw new CliError(
      'ERR_CLI_NOT_FOUND',
      `the tool \`${tool}\` takes no dataset, or has no action \`${action}\``,
    );
  const reach = whoCan(policies, {
    ...{ catalogue, dataset, action, tools: tool === undefined ? serving : [tool] },
    agents: agent === undefined ? [...catalogue.agents.keys()] : [agent],
  });
  output.answer(reachText(reach), { ok: true, dir, digest: policies.digest, dataset, action, reach });
}

/** @throws CliError ERR_CLI_NOT_FOUND for a name that the catalogue does not have */
function assertNames({ dataset, action, tool, agent }: PolicyWhoCanOptions, catalogue: Catalogue): void {
  const must = (what: string, name: string | undefined, known: ReadonlyMap<string, unknown>) => {
    if (name !== undefined && !known.has(name))
      throw new CliError(
        'ERR_CLI_NOT_FOUND',
        `the catalogue has no ${what} \`${name}\`; it has ${[...known.keys()].join(', ') || 'none'}`,
      );
  };
  must('dataset', dataset, catalogue.datasets);
  must(`action of ${dataset}`, action, catalogue.datasets.get(dataset)?.actions ?? new Map());
  must('tool', tool, catalogue.tools);
  must('agent', agent, catalogue.agents);
}
