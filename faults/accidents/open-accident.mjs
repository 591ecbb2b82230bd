/**
 * What can go wrong in a round. An accident has four moments: `prepare`, before anything is counted; `begin`; `on`, each time
 * that a part of the work has been given; and `over`, which resolves once everything is up again.
 */
import { Death } from './death.mjs';
import { Freeze, Takeover } from './instances.mjs';
import { BusNetwork, LostWord, TargetAway, TargetSlow } from './network.mjs';
import { Redelivery } from './redelivery.mjs';
import { Restart } from './restart.mjs';
import { Sabotage } from './sabotage.mjs';

const OF_KIND = {
  death: Death,
  second_death: Death,
  takeover: Takeover,
  freeze: Freeze,
  target_network: LostWord,
  store_network: LostWord,
  store_silence: LostWord,
  target_away: TargetAway,
  target_slow: TargetSlow,
  target_restart: Restart,
  cache_away: TargetAway,
  cache_restart: Restart,
  store_restart: Restart,
  bus_network: BusNetwork,
  bus_restart: Restart,
  redelivery: Redelivery,
  sabotage: Sabotage,
};

/**
 * @param {object} world `rig`, `records`, `tasks` of the round, `found` to add to, `note(line)`, `next(service)`: what a service
 *   is to die of when its turn comes again, and `logged(untilMs)`: whether the log holds everything by then
 * @param {import('../plan.mjs').Accident} accident
 */
export const openAccident = (world, accident) => new OF_KIND[accident.kind](world, accident);
