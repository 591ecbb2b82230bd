/** A service that takes tokens, for specs: a signer, verifiers that hear everything at once, and adapters of both processes. */
import { generateKeyPairSync } from 'node:crypto';
import { v7 } from 'uuid';
import { createLog } from '#telemetry/log.js';
import { readAccessToken, signAccessToken, verifyAccessToken } from '#tokens/access-token.js';
import { covers, type ToolAccess } from '#tokens/authorization-detail.js';
import type { AgentSession, ProviderHarness, TargetFeatures } from '../conformance/harness.contract.js';
import type { JwtCredential, Plan } from '../provider.js';
import { openJwt, type JwtMeans } from './jwt-provider.js';
import type { RevocationOutlet, TokenLease } from './revocation-outlet.js';
import { jwtSettings } from './settings.js';
import type { TokenSigner } from './token-signer.js';

export const ISSUER = 'https://mayfly.example';
export const ORDERS = 'https://orders.example';
export const TASK = '01930000-0000-7000-8000-000000000001';
export const PARENT = '01930000-0000-7000-8000-000000000002';
export const AGENT = 'spiffe://dev.mayfly/agent/executor';
export const PLANNER = 'spiffe://dev.mayfly/agent/planner';
export const MARIA = 'user:maria@corp.example';
export const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const settings = jwtSettings.parse({
  id: 'orders-api',
  provider: 'jwt',
  maxTtlMs: 300_000,
  audience: ORDERS,
});
export const signer: TokenSigner = {
  issuer: ISSUER,
  sign: (claims) => ({
    token: signAccessToken({ iss: ISSUER, ...claims }, { kid: 'k1', key: privateKey }),
    kid: 'k1',
  }),
};

/** Verifiers that hear everything at once, and remember it. */
export class FakeOutlet implements RevocationOutlet {
  readonly told: Parameters<RevocationOutlet['revoke']>[0][] = [];

  async revoke(record: Parameters<RevocationOutlet['revoke']>[0]): Promise<void> {
    await Promise.resolve();
    this.told.push(record);
  }

  look({ leaseId, lineage }: TokenLease): 'dead' | 'live' {
    const isDead = this.told.some(({ what, id, generationBelow }) =>
      what === 'lease'
        ? id === leaseId
        : lineage.some(
            (link) => link.taskId === id && (generationBelow === null || link.generation < generationBelow),
          ),
    );
    return isDead ? 'dead' : 'live';
  }
}
export const deaf: RevocationOutlet = {
  revoke: () => Promise.reject(new Error('the bus is away')),
  look: () => 'unknown',
};

export const jwtFeatures: TargetFeatures = {
  asksServer: false,
  knowsPrincipals: false,
  keepsSessions: false,
  refusesLateCreate: false,
  rights: [
    { rights: ['read'], permits: ['read'], forbids: ['write', 'delete', 'reading', '*'] },
    { rights: ['read', 'write'], permits: ['read', 'write'], forbids: ['delete'] },
    { rights: ['write'], permits: ['write'], forbids: ['read'] },
  ],
};

export const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
export function planOf(change: Partial<Plan> = {}): Plan {
  const leaseId = change.leaseId ?? v7();
  const rights = change.rights ?? ['read'];
  return {
    leaseId,
    provider: 'jwt',
    target: 'orders-api',
    principal: leaseId,
    rights,
    createBy: inMs(55_000),
    notAfter: inMs(120_000),
    hardEnd: inMs(600_000),
    token: {
      audience: ORDERS,
      subject: MARIA,
      agent: AGENT,
      jkt: 'A'.repeat(43),
      task: TASK,
      tool: 'orders.api',
      dataset: 'orders',
      actions: rights,
      lineage: [
        { taskId: TASK, generation: 2 },
        { taskId: PARENT, generation: 1 },
      ],
      act: { sub: AGENT, act: { sub: PLANNER } },
    },
    ...change,
  };
}

export const logged: string[] = [];
const log = createLog('spec', { level: 'trace', write: (line) => logged.push(line) });
export const open = (means: Partial<JwtMeans>) => openJwt(settings, log, { maxClockSkewMs: 2_000, ...means });

interface TokenSession extends AgentSession {
  /** What a service does with each request before it looks at what is asked. Rejects where the token is none, or dead. */
  enter(): Promise<unknown>;
}

/** As a service does with each request: the token, then what is dead, then the act. */
function session(credential: JwtCredential, outlet: RevocationOutlet): TokenSession {
  const enter = async (): Promise<ToolAccess[]> => {
    const verified = verifyAccessToken(credential.token.reveal(), {
      keyOf: (kid) => (kid === 'k1' ? publicKey : undefined),
      issuer: ISSUER,
      audience: ORDERS,
      nowMs: Date.now(),
    });
    if (!verified.ok) throw new Error(verified.refusal.code);
    const { jti, client_id: agent, lineage, authorization_details: details } = verified.claims;
    if (outlet.look({ leaseId: jti, agent, lineage }) !== 'live') throw new Error('revoked');
    return await Promise.resolve(details);
  };
  const act = async (action: string): Promise<string> => {
    const asked = { audience: ORDERS, tool: 'orders.api', dataset: 'orders', action };
    if (!(await enter()).some((detail) => covers(detail, asked))) throw new Error('not granted');
    return action;
  };
  return {
    enter,
    act,
    use: () => act('read'),
    overreach: () => act('write'),
    close: () => Promise.resolve(),
  };
}

export function harness(): ProviderHarness<JwtCredential> {
  const outlet = new FakeOutlet();
  return {
    broker: open({ signer }),
    revoker: open({ outlet }),
    unreachable: open({ outlet: deaf }),
    plan: planOf,
    async login(credential) {
      const opened = session(credential, outlet);
      await opened.enter();
      return opened;
    },
    principalIn({ token }) {
      const reading = readAccessToken(token.reveal());
      return reading.ok ? reading.claims.jti : '';
    },
    close: () => Promise.resolve(),
  };
}
