/** The very end of the sample: the accounts at its target that no task explains. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SAMPLE_OPERATOR } from '../commands/context.js';
import { CliError } from '../failure.js';
import type { MayflyClient } from '../mayfly-client.js';
import { ServiceDoor } from '../service-door.js';
import { counts, shownStandingAccess, type ShownStandingAccess } from '../standing/shown-standing.js';
import { name } from '../standing/standing-text.js';
import type { Narrator } from './narrator.js';

const WITHIN_MS = 20_000;
const EVERY_MS = 400;
const TARGET = 'shop';
/** What deploy/sample/target leaves there to be found. */
const OLD_ACCOUNTS = ['legacy_etl', 'report_bot'];

export async function tellStanding(client: MayflyClient, narrator: Narrator): Promise<void> {
  narrator.step('What no task explains');
  const door = new ServiceDoor('revoker', client.addresses.revoker, () =>
    client.svid(SAMPLE_OPERATOR, 'mayfly'),
  );
  const { standing } = await surveyed(door);
  const found = standing.filter((each) => each.target === TARGET && counts(each));
  if (!OLD_ACCOUNTS.every((account) => found.some(({ principal }) => principal === account)))
    throw new CliError('ERR_CLI_ANSWER', 'the two old accounts of the target were not found');
  for (const { principal, reaches, neverExpires } of found) {
    const what = reaches.map(({ dataset, actions }) => `${name(dataset)} (${actions.map(name).join(', ')})`);
    narrator.fact(`${name(principal).padEnd(10)} ${what.join(', ')}${neverExpires ? '; never expires' : ''}`);
  }
  narrator.fact(`at ${TARGET}, and not by a lease: mayfly standing-access says how, and what would end it`);
}

/** The revoker looks at its targets once it has started. */
async function surveyed(door: ServiceDoor): Promise<ShownStandingAccess> {
  const endMs = Date.now() + WITHIN_MS;
  for (;;) {
    const shown = shownStandingAccess.parse(await door.ask('GET', '/v1/standing-access'));
    const shop = shown.targets.find(({ target }) => target === TARGET);
    if (shop !== undefined && shop.surveyedAt !== null) return shown;
    if (Date.now() > endMs) throw new CliError('ERR_CLI_TIMEOUT', 'the revoker has not looked at the target');
    await sleep(EVERY_MS);
  }
}
