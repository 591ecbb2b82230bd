/** `mayfly doctor`: one line for each thing that must be well, with the remedy where it is not. Changes nothing. */
import type { MayflyConfig } from '#config/load.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { rightsAt } from '#events/catalogue.js';
import { clashesOf } from '#providers/open-providers.js';
import { isSameTarget, type TargetSettings } from '#providers/target-settings.js';
import type { CommandContext } from '../commands/context.js';
import { CliError, failureOf } from '../failure.js';
import { asLogin, passwordOf } from '../logins.js';
import { cliConfig } from '../settings.js';
import { readAddresses, stateFolder } from '../state-folder.js';
import type { Addresses } from '../state-folder.js';
import { busFindings } from './bus.js';
import { fail, ok, warn, wordsOf } from './finding.js';
import type { Finding } from './finding.js';
import { logGuardFindings } from './log-guard.js';
import { lookAt, separateClusters, serverFindings, unreachable } from './servers.js';
import type { ServerSeen } from './servers.js';
import { serviceFindings } from './services.js';
import { storeFindings } from './stores.js';
import { findingsOf } from './targets.js';
import { toolFindings } from './tools.js';

export async function doctor({ env, output }: CommandContext): Promise<void> {
  const findings = [environmentFinding(env), ...(await toolFindings(env)), ...(await runningFindings(env))];
  const failed = findings.filter(({ status }) => status === 'fail').length;
  output.answer(findings.map(line).join('\n'), { ok: failed === 0, findings });
  if (failed > 0)
    throw new CliError('ERR_CLI_CHECKS_FAILED', `${failed} of ${findings.length} checks failed`);
}

function environmentFinding(env: NodeJS.ProcessEnv): Finding {
  return env.MAYFLY_ENV === 'development'
    ? warn(
        'environment',
        'development: anybody who reads the state folder can be anybody',
        'for real data set MAYFLY_ENV=production and name your own trust domain in mayfly.yaml',
      )
    : ok('environment', env.MAYFLY_ENV || 'production');
}

/** What can be seen only of a Mayfly that runs. */
async function runningFindings(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const folder = stateFolder(env);
  let addresses: Addresses;
  let config: MayflyConfig<'cli'>;
  try {
    addresses = await readAddresses(folder);
    config = await cliConfig(env, folder, addresses);
  } catch (error) {
    return [fail('running', failureOf(error)?.line ?? wordsOf(error), 'npm start')];
  }
  const maxSkewMs = config.trust.maxClockSkewMs;
  const own = await see(folder, addresses, 'postgres', maxSkewMs);
  const target = await see(folder, addresses, 'target', maxSkewMs);
  return [
    ok('running', `state in ${folder}`),
    ...(await busFindings(config.bus)),
    ...own.findings,
    ...target.findings,
    ...(own.seen !== undefined && target.seen !== undefined ? [separateClusters(own.seen, target.seen)] : []),
    ...(await targetFindings(folder, addresses, config, env)),
    ...(own.seen === undefined ? [] : await storeFindings(folder, addresses, config)),
    ...(own.seen === undefined ? [] : await logGuardFindings(folder, addresses)),
    ...(await serviceFindings(addresses)),
  ];
}

async function see(
  folder: string,
  addresses: Addresses,
  server: 'postgres' | 'target',
  maxSkewMs: number,
): Promise<{ findings: Finding[]; seen?: ServerSeen }> {
  const { host, port, database } = addresses[server];
  const what = `${server === 'postgres' ? 'database' : 'target'} ${host}:${port}/${database}`;
  try {
    const seen = await asLogin(folder, addresses, server, 'mayfly_broker', lookAt);
    return { findings: serverFindings(what, seen, maxSkewMs), seen };
  } catch (error) {
    return { findings: [unreachable(what, error)] };
  }
}

/** Every target of the catalogue, by the login of each service that has one there. */
async function targetFindings(
  folder: string,
  addresses: Addresses,
  config: MayflyConfig<'cli'>,
  env: NodeJS.ProcessEnv,
): Promise<Finding[]> {
  const { host, port, database } = addresses.target;
  const findings: Finding[] = [];
  let before: readonly TargetSettings[] = [];
  for (const user of ['broker', 'revoker'] as const) {
    try {
      const { catalogue, targets } = await loadCatalogue(config.catalogue, {
        ...env,
        MAYFLY_TARGET_HOST: host,
        MAYFLY_TARGET_PORT: String(port),
        MAYFLY_TARGET_DATABASE: database,
        MAYFLY_TARGET_USER: `mayfly_${user}`,
        MAYFLY_TARGET_PASSWORD: await passwordOf(folder, 'target', `mayfly_${user}`),
      });
      const seen = before;
      // Where nothing is different for the other service, its login is not known here.
      const own = targets.filter((target) => !seen.some((each) => isSameTarget(each, target)));
      if (user === 'broker')
        for (const [id, clash] of clashesOf(targets))
          findings.push(fail(`target ${id}`, `${clash.code}: ${clash.what}`, clash.how));
      findings.push(
        ...(
          await Promise.all(own.map((target) => findingsOf(target, user, rightsAt(catalogue, target.id))))
        ).flat(),
      );
      before = targets;
    } catch (error) {
      findings.push(fail(`targets, as the ${user}`, failureOf(error)?.line ?? wordsOf(error), 'mend it'));
    }
  }
  return findings;
}

const SIGNS: Record<Finding['status'], string> = { ok: 'ok  ', warn: 'warn', fail: 'fail' };

function line({ status, what, seen, fix }: Finding): string {
  return `${SIGNS[status]}  ${what}: ${seen}${fix === undefined ? '' : `\n      ${fix}`}`;
}
