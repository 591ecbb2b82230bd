/** The Mayfly of `npm start`, found in its state folder. With a Mayfly of your own, all of this is your configuration. */
import { developmentIdentity } from '#agent/development-identity.js';
import type { IdentitySource } from '#agent/identity-source.js';
import type { Bus } from '#bus/bus.js';
import { openBus } from '#bus/open-bus.js';
import { loadPeerKeys, type PeerKeys } from '#identity/records.js';
import { failureOf } from '../../apps/cli/src/failure.js';
import { cliConfig } from '../../apps/cli/src/settings.js';
import { readAddresses, stateFolder } from '../../apps/cli/src/state-folder.js';

export interface RunningMayfly {
  /** The broker's URL, which is also the name of the issuer in its tokens. */
  broker: string;
  /** Public keys of Mayfly's services. */
  peers: PeerKeys;
  openBus(clientId: string): Promise<Bus>;
  /** Any workload of the development trust domain. */
  identity(id: string): IdentitySource;
}

/** Ends the process with one line where there is none. */
export async function runningMayfly(shell: NodeJS.ProcessEnv): Promise<RunningMayfly> {
  // Like the command `mayfly`: there is no `npm start` in production.
  const env = { ...shell, MAYFLY_ENV: shell.MAYFLY_ENV || 'development' };
  try {
    return await find(env);
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    console.error(failure.line);
    process.exit(failure.exitStatus);
  }
}

async function find(env: NodeJS.ProcessEnv): Promise<RunningMayfly> {
  const stateDir = stateFolder(env);
  const addresses = await readAddresses(stateDir);
  const config = await cliConfig(env, stateDir, addresses);
  return {
    broker: addresses.broker,
    peers: await loadPeerKeys(config.trust.services),
    openBus: (clientId) => openBus(config.bus, clientId),
    identity: (id) => developmentIdentity(id, { stateDir, env }),
  };
}
