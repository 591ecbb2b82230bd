/**
 * What an adapter may tell of its target as a whole, beside the lives of principals (`provider.ts`). Each is a port of its own: an adapter has it
 * or has it not. What tells of standing access passes `standing-access.contract.ts`.
 */
import type { GovernedAction, StandingAccess } from '#events/standing-access.js';
import type { CredentialProvider } from './provider.js';

export interface TellsIncarnation {
  /** Which life of the server this is, as observations name it: another one after a restart or a restore. @throws ProviderError */
  incarnation(): Promise<string>;
}

export interface TellsStandingAccess {
  /**
   * Principals that can reach at least one of these, now or once they want to, each once: without those of our leases, whether alive or
   * not (a sweep is about them), and without Mayfly's own accounts, as far as they can do nothing else. It reads and changes nothing.
   * @throws ProviderError where not all of it could be looked at
   */
  standingAccess(governed: readonly GovernedAction[]): AsyncIterable<StandingAccess>;
}

export const tellsIncarnation = (
  provider: CredentialProvider,
): provider is CredentialProvider & TellsIncarnation => 'incarnation' in provider;

export const tellsStandingAccess = (
  provider: CredentialProvider,
): provider is CredentialProvider & TellsStandingAccess => 'standingAccess' in provider;
