/** Receivers outside the bus: what they are told of revocations, and that none of them holds anything up. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { decodeJwt, jwtVerify } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { Metrics } from '#telemetry/metrics.js';
import { verifySessionRevoked } from '#tokens/security-event.js';
import { AGENT, brokers, inMs } from '../broker-voice.contract.js';
import type { Revoker } from '../revoker.js';
import { STRANGER, World } from '../revoker-world.contract.js';
import { tokenPlan } from '../token-plan.contract.js';
import { MAX_BACKLOG, trimBacklog } from './event-rows.js';
import { createEventMeasures } from './measures.js';
import type { Receiver } from './receivers.js';
import { SecurityEvents } from './security-events.js';

const ISSUER = 'https://mayfly.example';
const TOKENS_OF = 'https://broker.mayfly.example';
const SIEM = 'https://siem.example';

let world: World;
let revoker: Revoker;
let publicKey: KeyObject;
let events: SecurityEvents | undefined;
let siem: FakeSiem;
beforeAll(async () => {
  world = await World.open('rve');
  revoker = await world.start();
  publicKey = createPublicKey({ key: { ...(await world.key()).jwk }, format: 'jwk' });
});
afterAll(() => world.close());
beforeEach(async () => {
  siem = await FakeSiem.open();
});
afterEach(async () => {
  await events?.stop();
  events = undefined;
  await siem.close();
  await world.db.pool.query('DELETE FROM security_event');
});

/** Takes what is pushed, or answers otherwise. */
class FakeSiem {
  readonly got: { body: string; request: IncomingMessage }[] = [];
  status = 202;
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(): Promise<FakeSiem> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        fake.got.push({ body: Buffer.concat(parts).toString(), request });
        response.statusCode = fake.status;
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const fake = new FakeSiem(
      server,
      `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/events`,
    );
    return fake;
  }

  /** Claims of what came, about a task or lease. */
  about(id: string): Record<string, unknown>[] {
    return this.got
      .map(({ body }) => decodeJwt(body))
      .filter((claims) => JSON.stringify(claims).includes(id));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const pushed = (url: string): Receiver => ({
  id: 'siem',
  audience: SIEM,
  url,
  authorization: 'Bearer s3cret',
});
const polled: Receiver = { id: 'warehouse', audience: 'https://warehouse.example', poller: AGENT };

async function open(receivers: Receiver[]): Promise<SecurityEvents> {
  const { key } = await world.key();
  events = new SecurityEvents({
    ...{ db: world.db, trust: world.trust, key: { kid: 'k', key }, issuer: ISSUER, tokenIssuer: TOKENS_OF },
    ...{ receivers, measures: createEventMeasures(new Metrics('revoker')), log: world.log },
  });
  events.start();
  return events;
}

async function ended(endId?: string): Promise<string> {
  const taskId = uuidv7();
  await world.startTask(taskId);
  await world.endTask(taskId, undefined, endId);
  return taskId;
}

async function returned(): Promise<string> {
  const taskId = uuidv7();
  const plan = tokenPlan(taskId, 5);
  await world.say(world.intended(taskId, plan));
  await world.say({
    type: 'lease.returned',
    data: { ...brokers(taskId), leaseId: plan.leaseId, agent: AGENT },
  });
  return plan.leaseId;
}

describe('push', () => {
  it('tells of the end of a task, signed for this receiver, with what led to it', async () => {
    await open([pushed(siem.url)]);
    const endId = uuidv7();
    const taskId = await ended(endId);
    await world.until(() => siem.about(taskId).length > 0, 'the event');

    const { body, request } = siem.got.find((each) => each.body === siem.got.at(-1)?.body) ?? {};
    expect(request?.headers).toMatchObject({
      'content-type': 'application/secevent+jwt',
      authorization: 'Bearer s3cret',
    });
    const trust = { keyOf: () => publicKey, issuer: ISSUER, audience: SIEM, nowMs: Date.now() };
    expect(verifySessionRevoked(body ?? '', trust)).toMatchObject({
      ok: true,
      event: { txn: endId, reason: 'task_ended', revoked: { what: 'task', taskId, generationBelow: null } },
    });
    expect((await jwtVerify(body ?? '', publicKey)).protectedHeader).toMatchObject({ typ: 'secevent+jwt' });
  });

  it('tells of one token by the name that its issuer gave it, and not of one that is over by itself', async () => {
    await open([pushed(siem.url)]);
    const expired = tokenPlan(uuidv7(), 6, { notAfter: inMs(-1) });
    await world.say(world.intended(expired.token?.task ?? '', expired));
    await world.until(() => world.revocation(`lease:${expired.leaseId}`) !== undefined, 'its revocation');

    const leaseId = await returned();
    await world.until(() => siem.about(leaseId).length > 0, 'the event');

    expect(siem.about(leaseId)[0]).toMatchObject({
      sub_id: { format: 'jwt_id', iss: TOKENS_OF, jti: leaseId },
    });
    expect(siem.about(expired.leaseId)).toEqual([]);
  });

  it('tells again, as the same event, until the receiver takes it', async () => {
    siem.status = 503;
    await open([pushed(siem.url)]);
    const taskId = await ended();
    await world.until(() => siem.about(taskId).length >= 2, 'a second try');
    siem.status = 202;
    await world.until(() => waiting('siem').then((n) => n === 0), 'it to be taken');

    expect(new Set(siem.about(taskId).map(({ jti }) => jti)).size).toBe(1);
    expect(world.logged.join('')).not.toContain('s3cret');
  });

  it('is held up by no event that the receiver refuses, and cuts are by no receiver that is away', async () => {
    siem.status = 400;
    await open([pushed(siem.url), { ...pushed('http://127.0.0.1:1/nobody'), id: 'away' }]);
    const refused = await ended();
    await world.until(() => siem.about(refused).length > 0, 'the first try');
    siem.status = 202;

    const leaseId = await returned();

    await world.hears(leaseId, 'lease.removed');
    await world.until(() => siem.about(leaseId).length > 0, 'the event');
    expect(await waiting('away')).toBeGreaterThan(0);
  });

  it('keeps no more than the bound for a receiver, and says what it gave up', async () => {
    await world.db.pool.query(
      `INSERT INTO security_event (receiver, jti, event, not_after, due_at)
         SELECT 'slow', n::text, '{}', now() + interval '1 hour', now() + interval '1 hour'
           FROM generate_series(1, $1) AS n`,
      [MAX_BACKLOG + 3],
    );
    expect(await trimBacklog(world.db, 'slow')).toEqual({ waiting: MAX_BACKLOG, dropped: 3 });
    const { rows } = await world.db.pool.query<{ jti: string }>(
      'SELECT jti FROM security_event ORDER BY id LIMIT 1',
    );
    expect(rows).toEqual([{ jti: '4' }]);
  });
});

describe('poll', () => {
  const bearer = async (id = AGENT) => `Bearer ${await world.svid(id)}`;
  const ask = async (request: object) => {
    const { poll } = await openOnce();
    const receiver = poll.admit('warehouse', await bearer(), Date.now());
    return await poll.answer(receiver, Buffer.from(JSON.stringify(request)));
  };
  const openOnce = async () => events ?? (await open([polled]));
  /** Whoever is answered without events has waited, and asks again. */
  const fetched = async () => {
    for (;;) {
      const askedAtMs = Date.now();
      const { sets } = await ask({});
      if (Object.keys(sets).length > 0) return sets;
      expect(Date.now() - askedAtMs).toBeGreaterThan(4_000);
    }
  };

  it('hands out what is not acknowledged, again and again, and then no more', async () => {
    await openOnce();
    const taskId = await ended();
    const sets = await fetched();
    const [jti = '', set = ''] =
      Object.entries(sets).find(([, each]) => JSON.stringify(decodeJwt(each)).includes(taskId)) ?? [];
    expect(decodeJwt(set)).toMatchObject({ aud: 'https://warehouse.example', jti });

    expect(await ask({ returnImmediately: true })).toHaveProperty(['sets', jti]);
    expect((await ask({ returnImmediately: true, ack: [jti] })).sets).not.toHaveProperty([jti]);
  });

  it('tells that there is more, and takes acknowledgements and errors without handing out any', async () => {
    await openOnce();
    await Promise.all([ended(), ended()]);
    await world.until(() => waiting('warehouse').then((n) => n === 2), 'both');

    const first = await ask({ maxEvents: 1 });
    expect(first).toMatchObject({ moreAvailable: true });
    const [jti = ''] = Object.keys(first.sets);
    expect(await ask({ maxEvents: 0, setErrs: { [jti]: { err: 'invalid_issuer' } } })).toEqual({ sets: {} });
    const rest = await ask({ returnImmediately: true });
    expect(Object.keys(rest.sets)).toHaveLength(1);
    expect(rest).not.toHaveProperty('moreAvailable');
    expect(world.logged.join('')).toContain('a receiver refuses security events');
  });

  it('waits for what comes', async () => {
    await openOnce();
    const sets = fetched();
    const taskId = await ended();
    expect(JSON.stringify(Object.values(await sets).map((set) => decodeJwt(set)))).toContain(taskId);
  });

  it('is for the receiver alone', async () => {
    const { poll } = await openOnce();
    const stranger = await bearer(STRANGER);
    const refusalOf = (id: string, authorization: string | undefined) => {
      try {
        return poll.admit(id, authorization, Date.now());
      } catch (error) {
        return error;
      }
    };
    expect(refusalOf('warehouse', undefined)).toMatchObject({ code: 'ERR_UNAUTHENTICATED' });
    expect(refusalOf('warehouse', 'Bearer a.b.c')).toMatchObject({ code: 'ERR_UNAUTHENTICATED' });
    expect(refusalOf('warehouse', stranger)).toMatchObject({ code: 'ERR_FORBIDDEN' });
    expect(refusalOf('nobody', await bearer())).toMatchObject({ code: 'ERR_FORBIDDEN' });
  });

  it.each(['', '[]', '{"maxEvents":-1}', '{"ack":"x"}', '{"setErrs":{"a":1}}'])(
    'refuses the body %s',
    async (body) => {
      const { poll } = await openOnce();
      const receiver = poll.admit('warehouse', await bearer(), Date.now());
      await expect(poll.answer(receiver, Buffer.from(body))).rejects.toMatchObject({
        code: 'ERR_BODY_INVALID',
      });
    },
  );
});

it('tells of each lease of an agent that is revoked', async () => {
  await open([pushed(siem.url)]);
  const plan = tokenPlan(uuidv7(), 8);
  const intended = world.intended(plan.token?.task ?? '', plan);
  await world.say({ ...intended, data: { ...intended.data, agent: STRANGER } });
  await world.quiet();
  await revoker.orders.order({
    ...{ orderId: uuidv7(), scope: 'agent', subject: STRANGER },
    ...{ by: 'user:nadia@corp.example', reason: 'its key was seen elsewhere' },
  });
  await world.until(() => siem.about(plan.leaseId).length > 0, 'the event');
  const requested = await world.hears(plan.leaseId, 'lease.revocation_requested');
  expect(siem.about(plan.leaseId)[0]).toMatchObject({ txn: requested.causedBy });
});

async function waiting(receiver: string): Promise<number> {
  const { rows } = await world.db.pool.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM security_event WHERE receiver = $1',
    [receiver],
  );
  return rows[0]?.n ?? 0;
}
