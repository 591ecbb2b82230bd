/** Standing access in words. Pure. */
import { printable } from '../dlq/letter-text.js';
import { counts, type ShownStanding, type ShownStandingAccess, type ShownTarget } from './shown-standing.js';

const NAME = 128;
const WAYS_SHOWN = 6;

const WORDS: Record<string, string> = {
  superuser: 'superuser',
  replication: 'may copy the whole server',
  server_files: "may get at the server's files",
  all_data: 'a right to all data',
  owner: 'owns it',
  grant: 'granted',
  public: 'everybody has it',
  may_grant: 'may grant it to itself',
  bypass_rls: 'sees all rows',
};

export const name = (text: string): string => printable(text, NAME);

export function standingText({ targets, standing }: ShownStandingAccess): string {
  const looked = targets.filter(({ canBeSurveyed }) => canBeSurveyed);
  const left = targets.filter(({ canBeSurveyed }) => !canBeSurveyed).map(({ target }) => name(target));
  const blocks = looked.map((target) => {
    const here = standing.filter((each) => each.target === target.target);
    return [
      headOf(target, here.filter(counts).length),
      ...here.filter(counts).flatMap(linesOf),
      ...allowedOf(here),
    ].join('\n');
  });
  const rest = left.length === 0 ? [] : [`not looked at, because there are no accounts: ${left.join(', ')}`];
  return [...blocks, ...rest].join('\n\n');
}

function headOf({ target, provider, surveyedAt, failed }: ShownTarget, n: number): string {
  const trouble = failed === null ? '' : `; the last look failed: ${name(failed)}`;
  if (surveyedAt === null) return `${name(target)} (${provider}): not looked at yet${trouble}`;
  const found = n === 1 ? '1 principal' : `${n} principals`;
  return `${name(target)} (${provider}), as of ${surveyedAt}: ${found} that no lease explains${trouble}`;
}

function linesOf(found: ShownStanding): string[] {
  const { principal, reaches, neverExpires, foundAt, allowed } = found;
  const until = neverExpires ? 'never expires' : 'has an end of its own';
  const overdue = allowed === null ? '' : `, was allowed until ${allowed.review}`;
  return [
    `  ${name(principal)}  ${until}, since ${foundAt}${overdue}`,
    ...reaches.map(
      ({ dataset, actions, owner }) =>
        `    ${name(dataset)}  ${actions.map(name).join(', ')}${owner === undefined ? '' : `  (owner: ${name(owner)})`}`,
    ),
    `    how: ${howText(found)}`,
  ];
}

/** The ways in, each once. */
export function howText({ how }: Pick<ShownStanding, 'how'>): string {
  const ways = how.map(({ way, through, object, rights }) => {
    const what = [rights?.join(', '), object === undefined ? undefined : `on ${name(object)}`];
    const said = [WORDS[way] ?? name(way), ...what].filter((part) => part !== undefined).join(' ');
    return through === undefined ? said : `${said} by ${name(through)}`;
  });
  const each = [...new Set(ways)];
  const more = each.length > WAYS_SHOWN ? `; and ${each.length - WAYS_SHOWN} more` : '';
  return `${each.slice(0, WAYS_SHOWN).join('; ')}${more}`;
}

const allowedOf = (here: readonly ShownStanding[]): string[] =>
  here.flatMap(({ principal, allowed }) =>
    allowed === null || allowed.overdue
      ? []
      : [`  ${name(principal)}  allowed until ${allowed.review}: ${printable(allowed.reason, 512)}`],
  );
