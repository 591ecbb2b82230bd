/** What broker and revoker would find at a target, and tell when they start. */
import { inspectTarget } from '#providers/inspect-target.js';
import { STOPS, type TargetFinding, type TargetUser } from '#providers/target-finding.js';
import type { TargetSettings } from '#providers/target-settings.js';
import { fail, ok, type Finding } from './finding.js';

export async function findingsOf(
  target: TargetSettings,
  user: TargetUser,
  rights: readonly string[],
  inspect = inspectTarget,
): Promise<Finding[]> {
  const what = `target ${target.id}, as the ${user}`;
  // Nobody logs in there.
  if (target.provider === 'jwt') return [];
  const found = await inspect(target, user, rights);
  if (found.length === 0) return [ok(what, 'all that is needed, and no more')];
  return found.map((finding) => fail(what, wordsFor(finding), finding.how));
}

const wordsFor = ({ code, what }: TargetFinding): string =>
  `${code}: ${what}${STOPS[code] ? '; nothing is issued for it' : ''}`;
