import { inspect } from 'node:util';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { ACTORS_MAX } from '#events/token-plan.js';
import { MAX_ACTORS } from '#tokens/actor.js';
import { describeProvider } from '../provider.contract.js';
import type { Plan } from '../provider.js';
import {
  AGENT,
  deaf,
  FakeOutlet,
  harness,
  inMs,
  ISSUER,
  jwtFeatures,
  logged,
  MARIA,
  open,
  ORDERS,
  PARENT,
  planOf,
  PLANNER,
  publicKey,
  signer,
  TASK,
} from './jwt-world.contract.js';
import type { RevocationOutlet } from './revocation-outlet.js';

describeProvider('jwt', jwtFeatures, () => Promise.resolve(harness()));

async function tokenOf(plan: Plan): Promise<string> {
  const answer = await open({ signer }).create(plan);
  if (answer.answer !== 'created' || answer.credential.kind !== 'jwt') throw new Error('no token was made');
  return answer.credential.token.reveal();
}

describe('a token', () => {
  it('says what the plan says, from now until the end of the lease', async () => {
    const plan = planOf();
    const token = await tokenOf(plan);

    const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      issuer: ISSUER,
      audience: ORDERS,
      maxTokenAge: 5,
      requiredClaims: ['exp', 'jti', 'client_id', 'cnf'],
    });

    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' });
    expect(payload).toEqual({
      iss: ISSUER,
      sub: MARIA,
      aud: ORDERS,
      client_id: AGENT,
      iat: expect.any(Number) as number,
      exp: Math.floor(Date.parse(plan.notAfter) / 1_000),
      jti: plan.leaseId,
      cnf: { jkt: 'A'.repeat(43) },
      authorization_details: [
        {
          type: 'mayfly_tool_access',
          locations: [ORDERS],
          tool: 'orders.api',
          dataset: 'orders',
          actions: ['read'],
          task: TASK,
        },
      ],
      act: { sub: AGENT, act: { sub: PLANNER } },
      lineage: [
        { taskId: TASK, generation: 2 },
        { taskId: PARENT, generation: 1 },
      ],
    });
  });

  it('says the digest of the arguments and its place in the status list, where the plan does', async () => {
    const { token } = planOf();
    if (token === undefined) throw new Error('the fixture plans a token');
    const status = { uri: 'https://mayfly.example/status/0', idx: 7 };
    const claims = decodeJwt(
      await tokenOf(planOf({ token: { ...token, argumentsSha256: 'a'.repeat(64), status } })),
    );

    expect(claims).toMatchObject({
      arguments_sha256: 'a'.repeat(64),
      status: { status_list: { uri: status.uri, idx: 7 } },
    });
  });

  it('is not printed, and is not logged', async () => {
    const answer = await open({ signer }).create(planOf());
    const token = await tokenOf(planOf());

    const secret = token.split('.')[2] ?? '';
    expect(inspect(answer, { depth: 9 }) + JSON.stringify(answer)).not.toContain('eyJ');
    expect(secret).not.toBe('');
    expect(logged.join('')).not.toContain('eyJ');
  });

  it('names its key, so that the log tells which one signed it', async () => {
    expect(await open({ signer }).create(planOf())).toMatchObject({ answer: 'created', incarnation: 'k1' });
    expect(decodeProtectedHeader(await tokenOf(planOf())).kid).toBe('k1');
  });

  it('is made by nobody who cannot sign, and not without a key', async () => {
    const refused = { answer: 'refused', code: 'ERR_TARGET_MISCONFIGURED' };
    expect(await open({}).create(planOf())).toEqual(refused);
    expect(await open({ signer: { issuer: ISSUER, sign: () => null } }).create(planOf())).toEqual(refused);
  });

  it.each<[string, Partial<Plan>]>([
    ['without a word about a token', { token: undefined }],
    ['for another service', { token: { ...planOf().token!, audience: 'https://other.example' } }],
    ['with other actions than the rights', { token: { ...planOf().token!, actions: ['read', 'write'] } }],
    ['that is longer than the service allows', { notAfter: inMs(400_000) }],
    ['that outlives its task', { hardEnd: inMs(60_000) }],
    ['for a key that is none', { token: { ...planOf().token!, jkt: 'short' } }],
    ['for nobody', { token: { ...planOf().token!, subject: '' } }],
    ['without a task', { token: { ...planOf().token!, lineage: [] } }],
    ['that is over', { notAfter: inMs(-1_000), createBy: inMs(5_000) }],
  ])('is not made of a plan %s', async (_what, change) => {
    expect(await open({ signer }).create(planOf(change))).toEqual({
      answer: 'refused',
      code: 'ERR_PLAN_INVALID',
    });
  });

  it('may name as many actors as a plan may', () => {
    expect(ACTORS_MAX).toBe(MAX_ACTORS);
  });
});

describe('a cut', () => {
  it('tells verifiers of the lease, for as long as its token could be valid', async () => {
    const outlet = new FakeOutlet();
    const plan = planOf();
    await open({ outlet }).cut(plan);
    await open({ outlet }).cut(plan);

    expect(outlet.told).toEqual([
      {
        what: 'lease',
        id: plan.leaseId,
        generationBelow: null,
        notAfter: plan.notAfter,
        reason: 'lease_revoked',
      },
    ]);
  });

  it('adds nothing where the end of its task, or of its parent, has been told', async () => {
    for (const [id, generationBelow] of [
      [TASK, 3],
      [PARENT, null],
    ] as const) {
      const outlet = new FakeOutlet();
      await outlet.revoke({ what: 'task', id, generationBelow, notAfter: inMs(600_000), reason: 'ended' });

      const { observation, emptyObservations } = await open({ outlet }).cut(planOf());

      expect(outlet.told).toHaveLength(1);
      expect(observation.state).toBe('disabled');
      expect(emptyObservations).toBe(2);
    }
  });

  it('of an earlier generation leaves the token of the present one to be cut by itself', async () => {
    const outlet = new FakeOutlet();
    await outlet.revoke({ what: 'task', id: TASK, generationBelow: 2, notAfter: inMs(600_000), reason: 'x' });

    await open({ outlet }).cut(planOf());

    expect(outlet.told.map(({ what }) => what)).toEqual(['task', 'lease']);
  });

  it('proves nothing where nobody can be told, as long as the token could be valid', async () => {
    await expect(open({}).cut(planOf())).rejects.toMatchObject({
      name: 'ProviderError',
      code: 'ERR_TARGET_MISCONFIGURED',
    });
    // Over by our clock, and perhaps not yet by a verifier's.
    await expect(open({}).cut(planOf({ notAfter: inMs(-1_000) }))).rejects.toThrow();
  });

  it('needs nobody once the token is over by every clock', async () => {
    const over = planOf({ notAfter: inMs(-2_100) });

    expect(await open({}).cut(over)).toMatchObject({
      observation: { state: 'absent', sessions: 0 },
      emptyObservations: 2,
    });
    expect(await open({ outlet: deaf }).clean(over)).toMatchObject({ state: 'absent' });
  });

  it('is not proven by what verifiers were told, where that is not known', async () => {
    const outlet: RevocationOutlet = { revoke: () => Promise.resolve(), look: () => 'unknown' };

    expect(await open({ outlet }).cut(planOf())).toMatchObject({
      observation: { state: 'unknown', nodes: { seen: 0, expected: 1 } },
      emptyObservations: 0,
    });
  });
});
