/** `mayfly standing-access`: who can get at governed data without a lease, and what would take that away. */
import type { CommandContext } from '../commands/context.js';
import { CliError } from '../failure.js';
import { revokerDoorOf, type AsOperator } from '../service-door.js';
import { remediationText } from './remediation-text.js';
import { counts, shownStandingAccess, type ShownStandingAccess } from './shown-standing.js';
import { standingText } from './standing-text.js';

export interface StandingAccessOptions extends AsOperator {
  /** One target alone. */
  target?: string;
  remediate?: boolean;
}

export async function standingAccess(
  { target, remediate, ...as }: StandingAccessOptions,
  { env, output }: CommandContext,
): Promise<void> {
  const door = await revokerDoorOf(as, env);
  const all = shownStandingAccess.parse(await door.ask('GET', '/v1/standing-access'));
  const shown = target === undefined ? all : atTarget(all, target);
  const overdue = shown.standing.filter((each) => each.allowed?.overdue === true).length;
  if (overdue > 0) output.remark(`${overdue} of them were allowed, and the day of their review is over`);
  if (remediate !== true) return output.answer(standingText(shown), shown);
  if (!shown.standing.some(counts)) output.remark('nothing is to be taken away');
  output.answer(remediationText(shown), {
    scripts: shown.targets.flatMap((each) => {
      const script = remediationText(atTarget(shown, each.target));
      return script === '' ? [] : [{ target: each.target, provider: each.provider, script }];
    }),
  });
}

function atTarget({ targets, standing }: ShownStandingAccess, target: string): ShownStandingAccess {
  const here = targets.filter((each) => each.target === target);
  if (here.length === 0) throw new CliError('ERR_CLI_NOT_FOUND', 'the revoker has no such target');
  return { targets: here, standing: standing.filter((each) => each.target === target) };
}
