/**
 * A script for each target that would take standing access away: written for a person who reads it, and never run by us. Each line of SQL comes from the
 * revoker, with names quoted there; what is said around it is comment, one line each. Pure.
 */
import { counts, type ShownStanding, type ShownStandingAccess, type ShownTarget } from './shown-standing.js';
import { howText, name } from './standing-text.js';

interface Language {
  comment: string;
  begin: string[];
  end: string[];
}

const SQL: Language = {
  comment: '--',
  begin: ['BEGIN;'],
  end: ['-- Nothing has changed yet. Once it does what you want, end with COMMIT instead.', 'ROLLBACK;'],
};
/** Of targets that are told what to do by commands, each on its own. */
const COMMANDS: Language = { comment: '#', begin: [], end: [] };

const languageOf = (provider: string): Language => (provider === 'postgres' ? SQL : COMMANDS);

/** @returns nothing where there is nothing to take away. */
export function remediationText({ targets, standing }: ShownStandingAccess): string {
  return targets
    .map((target) => ({
      target,
      here: standing.filter((each) => each.target === target.target && counts(each)),
    }))
    .filter(({ here }) => here.length > 0)
    .map(({ target, here }) => scriptOf(target, here))
    .join('\n\n');
}

function scriptOf({ target, provider, surveyedAt }: ShownTarget, here: readonly ShownStanding[]): string {
  const { comment, begin, end } = languageOf(provider);
  const head = [
    `Target ${name(target)} (${provider}), as it was seen at ${surveyedAt ?? '?'}. Written by mayfly standing-access --remediate.`,
    'Nobody has run this. Read all of it, ask the owners, and run it yourself as an administrator of the target.',
    'An account that is to stay goes into standing-access.yaml of the catalogue, with a reason and a day of review.',
  ];
  const blocks = here.map((found) => [
    ...said(found).map((line) => `${comment} ${line}`),
    ...found.remedy.map((line) => line.replaceAll(/[\r\n]/g, ' ')),
  ]);
  return [
    ...head.map((line) => `${comment} ${line}`),
    ...begin,
    ...blocks.flatMap((block) => ['', ...block]),
    '',
    ...end,
  ]
    .join('\n')
    .trimEnd();
}

function said(found: ShownStanding): string[] {
  const owners = [...new Set(found.reaches.flatMap(({ owner }) => owner ?? []))].map(name);
  const reaches = found.reaches.map(
    ({ dataset, actions }) => `${name(dataset)} (${actions.map(name).join(', ')})`,
  );
  return [
    `${name(found.principal)}: ${reaches.join(', ')}`,
    `how: ${howText(found)}${found.neverExpires ? '; never expires' : ''}`,
    ...(owners.length === 0 ? [] : [`owner of the data: ${owners.join(', ')}`]),
  ];
}
