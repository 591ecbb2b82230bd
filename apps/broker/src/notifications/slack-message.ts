/**
 * A notification as a chat shows it: the payload of Slack's incoming webhooks, which others take too. Nobody approves by it: people sign in
 * for that (docs/adr/0016-people-approve-by-themselves.md). Pure.
 *
 * Agents and people choose some of the words. Outside of `text` all of them stand in objects of `plain_text`, which know no markup; in
 * either, what Slack parses is escaped, a word of theirs is one line, and it is clipped.
 */
import { actWords, bindingWords } from '#events/approval-words.js';
import { linksOf } from './links.js';
import type { Notice } from './notice.js';
import { TITLES } from './titles.js';

/** Of a value, escaped. Slack takes 2,000 characters in a field; where there are no blocks, a line is enough. */
const LONGEST = { field: 1_900, line: 300 };

interface PlainText {
  type: 'plain_text';
  text: string;
  emoji: false;
}
export interface SlackMessage {
  /** What a notification shows, and clients that know no blocks. */
  text: string;
  mrkdwn: false;
  blocks: ({ type: 'header' | 'section'; text: PlainText } | { type: 'section'; fields: PlainText[] })[];
}

/** @param broker its address, as callers reach it */
export function slackMessage(notice: Notice, broker: string): SlackMessage {
  const title = TITLES[notice.type];
  const facts = factsOf(notice);
  const { approval: where } = linksOf(notice, broker);
  const lines = where === undefined ? [whatToDo(notice)] : [whatToDo(notice), where];
  return {
    text: [title, ...gistOf(facts), whatToDo(notice)].join('; '),
    mrkdwn: false,
    blocks: [
      { type: 'header', text: plain(title) },
      {
        type: 'section',
        fields: facts.map(([label, value]) => plain(`${label}\n${safe(value, LONGEST.field)}`)),
      },
      ...lines.map((line) => ({ type: 'section' as const, text: plain(safe(line, LONGEST.field)) })),
    ],
  };
}

/** By hand, for there is no button that says yes. */
const whatToDo = ({ type, taskId, approval }: Notice): string =>
  type === 'approval.requested' && approval !== undefined
    ? `Answer: mayfly approve ${approval.id}, or mayfly deny ${approval.id}`
    : `Look: mayfly task show ${taskId}`;

type Fact = readonly [label: string, value: string];

/** At most ten, which is what a section holds. */
function factsOf(notice: Notice): Fact[] {
  const { agent, tool, dataset, action, taskId, tenant, by, reason, why, cause, signal, score, approval } =
    notice;
  const facts: [string, string | undefined][] = [
    ['agent', agent],
    ['act', tool !== undefined && action !== undefined ? actWords({ tool, dataset, action }) : undefined],
    ['task', taskId],
    ['tenant', tenant],
    ['by', by],
    ['reason', reason],
    ['why', why ?? cause ?? signal],
    ...(score === undefined ? [] : [['score', String(score)] as [string, string]]),
    ...(approval === undefined ? [] : factsOfApproval(approval)),
  ];
  return facts.flatMap(([label, value]) => (value === undefined || value === '' ? [] : [[label, value]]));
}

const factsOfApproval = ({
  approval,
  grants,
  needed,
  expiresAt,
  binds,
  reasons,
}: NonNullable<Notice['approval']>): [string, string][] => [
  ['approval', `${approval}: ${grants.length} of ${needed}, until ${expiresAt}`],
  ['a yes is for', bindingWords(binds)],
  ['asked because', reasons.join('; ')],
];

const gistOf = (facts: readonly Fact[]): string[] =>
  facts
    .filter(([label]) => ['agent', 'act', 'task'].includes(label))
    .map(([label, value]) => `${label} ${safe(value, LONGEST.line)}`);

const plain = (text: string): PlainText => ({ type: 'plain_text', text, emoji: false });

const ENTITIES: Partial<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Line breaks, controls and what turns the direction of writing become spaces: words of others look like nothing else than that.
 * Clipped between characters.
 */
function safe(words: string, longest: number): string {
  let text = '';
  for (const character of words.replace(/[\p{C}\p{Z}]+/gu, ' ').trim()) {
    const escaped = ENTITIES[character] ?? character;
    if (text.length + escaped.length >= longest) return `${text}…`;
    text += escaped;
  }
  return text;
}
