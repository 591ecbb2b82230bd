/** `mayfly policy check`: can the policies of a folder be used? Every problem at once, each with its place and what to do. */
import type { CommandContext } from './context.js';
import {
  catalogueBeside,
  counted,
  policiesIn,
  policyFolder,
  type PolicyFolderOptions,
} from './policy-folder.js';

export async function policyCheck(options: PolicyFolderOptions, context: CommandContext): Promise<void> {
  const dir = policyFolder(options, context.env);
  const catalogue = await catalogueBeside(dir, options, context.env);
  const { rules, digest } = await policiesIn(dir, catalogue, context);
  context.output.answer(`ok: ${counted(rules.size, 'policy')}, ${digest}`, {
    ok: true,
    dir,
    policies: rules.size,
    digest,
  });
}
