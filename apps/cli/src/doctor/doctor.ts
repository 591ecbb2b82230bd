/** `mayfly doctor`: one line for each thing that must be well, with the remedy where it is not. Changes nothing. */
import type { MayflyConfig } from '#config/load.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { issuersOf } from '#providers/postgres/issuer.js';
import type { CommandContext } from '../commands/context.js';
import { CliError, failureOf } from '../failure.js';
import { asLogin } from '../logins.js';
import { cliConfig } from '../settings.js';
import { readAddresses, stateFolder } from '../state-folder.js';
import type { Addresses } from '../state-folder.js';
import { busFindings } from './bus.js';
import { fail, ok, warn, wordsOf } from './finding.js';
import type { Finding } from './finding.js';
import { lookAt, separateClusters, serverFindings, unreachable } from './servers.js';
import type { ServerSeen } from './servers.js';
import { serviceFindings } from './services.js';
import { storeFindings } from './stores.js';
import { policyRolesFinding, rightsFinding } from './target-rights.js';
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
    ...(target.seen === undefined ? [] : await targetFindings(folder, addresses, config, env)),
    ...(own.seen === undefined ? [] : await storeFindings(folder, addresses, config)),
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

async function targetFindings(
  folder: string,
  addresses: Addresses,
  config: MayflyConfig<'cli'>,
  env: NodeJS.ProcessEnv,
): Promise<Finding[]> {
  try {
    const { host, port, database } = addresses.target;
    const { catalogue, targets } = await loadCatalogue(config.catalogue, {
      ...env,
      MAYFLY_TARGET_HOST: host,
      MAYFLY_TARGET_PORT: String(port),
      MAYFLY_TARGET_DATABASE: database,
      MAYFLY_TARGET_USER: 'mayfly_broker',
      // The catalogue wants one, and no connection is made from it.
      MAYFLY_TARGET_PASSWORD: 'unused',
    });
    const shop = targets.find((target) => target.provider === 'postgres');
    const issuers = issuersOf(shop?.issuerShards ?? 1);
    const policyRoles = [...catalogue.datasets.values()]
      .filter(({ target }) => target === shop?.id)
      .flatMap(({ actions }) => [...actions.values()].flatMap(({ rights }) => rights));
    return await Promise.all([
      asLogin(folder, addresses, 'target', 'mayfly_broker', (client) =>
        rightsFinding('mayfly_broker', client, issuers),
      ),
      asLogin(folder, addresses, 'target', 'mayfly_revoker', (client) =>
        rightsFinding('mayfly_revoker', client, issuers),
      ),
      asLogin(folder, addresses, 'target', 'mayfly_broker', (client) =>
        policyRolesFinding(client, issuers, policyRoles),
      ),
    ]);
  } catch (error) {
    return [
      fail(
        'target: rights',
        failureOf(error)?.line ?? wordsOf(error),
        'run deploy/sample/target/10-rights.sql at the target as a superuser',
      ),
    ];
  }
}

const SIGNS: Record<Finding['status'], string> = { ok: 'ok  ', warn: 'warn', fail: 'fail' };

function line({ status, what, seen, fix }: Finding): string {
  return `${SIGNS[status]}  ${what}: ${seen}${fix === undefined ? '' : `\n      ${fix}`}`;
}
