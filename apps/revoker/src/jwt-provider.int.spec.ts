/** The provider of tokens with the revoker's own outlet: what it must do, it does by what verifiers read on the topic. */
import { generateKeyPairSync } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { openJwt, type JwtMeans } from '#providers/jwt/jwt-provider.js';
import { describeProvider, type AgentSession, type ProviderHarness } from '#providers/provider.contract.js';
import type { CredentialProvider, JwtCredential } from '#providers/provider.js';
import { createLog } from '#telemetry/log.js';
import { signAccessToken, verifyAccessToken } from '#tokens/access-token.js';
import { BusOutlet } from './bus-outlet.js';
import { World } from './revoker-world.contract.js';
import { TOKENS, tokenPlan } from './token-plan.contract.js';

const ISSUER = 'https://mayfly.example';
const TASK = uuidv7();
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = {
  issuer: ISSUER,
  sign: (claims: Parameters<NonNullable<JwtMeans['signer']>['sign']>[0]) => ({
    token: signAccessToken({ iss: ISSUER, ...claims }, { kid: 'k1', key: privateKey }),
    kid: 'k1',
  }),
};

async function harness(): Promise<ProviderHarness<JwtCredential>> {
  const world = await World.open('rvj');
  await world.start();
  const log = createLog('spec', { level: 'silent' });
  const open = (means: Partial<JwtMeans>) => openJwt(TOKENS, log, { maxClockSkewMs: 2_000, ...means });
  const unreachable = new BusOutlet({
    ...{ db: world.db, log },
    publish: () => Promise.reject(new Error('the bus is away')),
  });
  const probe = tokenPlan(TASK, 0);
  /** A machine that stands still for seconds does not know for a moment. That is not what is asked here. */
  const known = () => world.until(() => world.looks(probe) === 'live', 'the revoker to read what it tells');
  const knowing = (provider: CredentialProvider): CredentialProvider => ({
    ...{ kind: provider.kind, fencing: provider.fencing, capabilities: provider.capabilities },
    principal: (leaseId) => provider.principal(leaseId),
    create: (plan) => provider.create(plan),
    renew: (plan, notAfter) => provider.renew(plan, notAfter),
    cut: (plan) => known().then(() => provider.cut(plan)),
    observe: (plan) => known().then(() => provider.observe(plan)),
    clean: (plan) => known().then(() => provider.clean(plan)),
    list: () => provider.list(),
    close: () => provider.close(),
  });
  const session = (credential: JwtCredential): AgentSession => {
    const act = async (action: string): Promise<string> => {
      // A request comes over a network: between two of them other things are read.
      await turn();
      await known();
      const nowMs = Date.now();
      const verified = verifyAccessToken(credential.token.reveal(), {
        ...{ keyOf: () => publicKey, issuer: ISSUER, audience: TOKENS.audience, nowMs },
      });
      if (!verified.ok) throw new Error(verified.refusal.code);
      const { jti: leaseId, client_id: agent, lineage, authorization_details: details } = verified.claims;
      if (world.outlet.look({ leaseId, agent, lineage }) !== 'live') throw new Error('revoked');
      if (!details.some(({ actions }) => actions.includes(action))) throw new Error('not granted');
      return action;
    };
    return { use: () => act('read'), overreach: () => act('write'), close: () => Promise.resolve() };
  };
  let idx = 0;
  const plan: ProviderHarness<JwtCredential>['plan'] = (change) => tokenPlan(TASK, (idx += 1), change);
  return {
    broker: open({ signer }),
    revoker: knowing(open({ outlet: world.outlet })),
    unreachable: open({ outlet: unreachable }),
    plan,
    async login(credential) {
      const opened = session(credential);
      await opened.use();
      return opened;
    },
    principalIn: ({ token }) => decodeJwt(token.reveal()).jti ?? '',
    close: () => world.close(),
  };
}

const features = {
  ...{ asksServer: false, knowsPrincipals: false, keepsSessions: false, refusesLateCreate: false },
};
describeProvider('jwt, by the bus', features, harness);
