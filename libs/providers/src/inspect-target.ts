/** Whether a target is fit to be lent from, whatever its kind. Read-only, with a connection of its own; never rejects. */
import { unreachable } from '#events/unreachable.js';
import { inspectByAsking } from './inspect-by-asking.js';
import { inspectPostgres } from './postgres/inspect.js';
import type { TargetFinding, TargetUser } from './target-finding.js';
import type { TargetSettings } from './target-settings.js';

/**
 * @param rights names at the target that the catalogue lends
 * @returns all that is amiss; none where all is well
 */
export async function inspectTarget(
  target: TargetSettings,
  user: TargetUser,
  rights: readonly string[],
): Promise<TargetFinding[]> {
  switch (target.provider) {
    case 'postgres':
      return await inspectPostgres(target, user, rights);
    case 'redis':
      return await inspectByAsking(async (log) => {
        const { askRedis } = await import('./redis/inspect.js');
        await askRedis(target, user, log);
      }, target.login.user);
    case 'kafka':
      return await inspectByAsking(async (log) => {
        const { askKafka } = await import('./kafka/inspect.js');
        await askKafka(target, log);
      }, target.login.user);
    case 'jwt':
      // Nobody logs in anywhere.
      return [];
    default:
      return unreachable(target);
  }
}
