/** The auditor as a whole: what is said on the bus is told as a story and proven, to those who may read it. */
import type { Bus, BusRecord, OutgoingRecord } from '#bus/bus.js';
import { CHECKPOINTS } from '#events/topics.js';
import { verifyRecord } from '#identity/records.js';
import { openCheckpoint } from '#merkle/checkpoint.js';
import { hasher } from '#merkle/node/hasher.js';
import { verifyTlogProof } from '#merkle/tlog-proof.js';
import { eventually, LiveAuditor, STRANGER, trusted, type Answer } from '../spec/live-auditor.js';
import type { LogDatabase } from '../spec/log-database.js';
import {
  ANALYST,
  CALL,
  common,
  LEASE,
  OPERATOR,
  ORCHESTRATOR,
  started,
  TASK,
  type World,
} from '../spec/world.js';
import type { EntryDetail, EntryView } from './http/api-schemas.js';
import type { Story } from './story/story.js';

const { origin } = trusted;

let auditor: LiveAuditor;
let world: World;
let log: LogDatabase;
let bus: Bus;
let url: string;
beforeAll(async () => {
  auditor = await LiveAuditor.open();
  ({ world, log, bus, url } = auditor);
  await publishTask();
});
afterAll(() => auditor.close());

const outgoing = ({ topic, key, value, headers }: BusRecord): OutgoingRecord => ({
  topic,
  key: (key as Buffer).toString(),
  value,
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)])),
});

/** Topics made a moment ago may have no leader yet. */
const publish = (records: OutgoingRecord[]) =>
  eventually(() =>
    bus.publish(records).then(
      () => true,
      () => undefined,
    ),
  );

async function publishTask(): Promise<void> {
  const lease = { ...common, leaseId: LEASE, cause: 'task_ended' };
  await publish([outgoing(await world.said('task.started', started, ORCHESTRATOR))]);
  await publish([
    outgoing(world.wrote('broker', 'task.accepted', { ...common, purpose: started.purpose })),
    outgoing(
      world.wrote('broker', 'lease.issued', { ...common, leaseId: LEASE, callId: CALL, agent: ANALYST }),
    ),
    outgoing(world.wrote('revoker', 'lease.removed', lease)),
  ]);
}

const get = (path: string, id?: string | null) => auditor.get(path, id);
const json = async <T>(path: string): Promise<T> => JSON.parse((await get(path)).text) as T;
const problem = (status: number, code: string): unknown => ({
  status,
  type: expect.stringContaining('application/problem+json') as string,
  text: expect.stringContaining(`"code":"${code}"`) as string,
});

const wholeStory = () =>
  eventually(async () => {
    const { status, text } = await get(`/v1/tasks/${TASK}/story`);
    const story = status === 200 ? (JSON.parse(text) as Story) : undefined;
    return story?.steps.length === 4 ? story : undefined;
  });

it('tells what was said on the bus as a story, and proves every step of it', async () => {
  const { steps, text } = await wholeStory();

  expect(steps.map(({ type, by }) => [type, by])).toEqual([
    ['task.started', ORCHESTRATOR],
    ['task.accepted', 'broker'],
    ['lease.issued', 'broker'],
    ['lease.removed', 'revoker'],
  ]);
  expect(text).toContain(`declares the task “${started.purpose}”`);
  for (const { seq, proof } of steps) {
    const { leaf, opened } = await json<EntryDetail>(`/v1/entries/${seq}`);
    const file = await eventually(async () => {
      const { status, text: body } = await get(proof);
      return status === 200 ? body : undefined;
    });
    const entry = Buffer.from(leaf, 'base64');
    expect(verifyTlogProof(hasher, file, entry, trusted).index).toBe(BigInt(seq));
    expect(entry.toString()).not.toContain(started.purpose);
    if (seq === steps[0]?.seq) expect(opened['/purpose']).toBe(started.purpose);
  }
});

it('pages through the entries of a task', async () => {
  await wholeStory();
  interface Page {
    entries: EntryView[];
    next: string | null;
  }
  const seen: number[] = [];
  for (let after: string | null = ''; after !== null;) {
    const from: string = after === '' ? '' : `&after=${after}`;
    const page: Page = await json<Page>(`/v1/entries?taskId=${TASK}&type=lease.issued&limit=1${from}`);
    seen.push(...page.entries.map(({ seq }) => seq));
    after = page.next;
  }
  expect(seen).toHaveLength(1);
});

it('shows its newest checkpoint to everybody, and publishes it signed', async () => {
  const { status, type, text } = await get('/log/checkpoint', null);
  expect([status, type]).toEqual([200, 'text/plain; charset=utf-8']);
  const shown = openCheckpoint(text, origin, trusted.verifiers);

  const published: BusRecord[] = [];
  const consumer = await bus.subscribe({
    group: `checkpoints-${log.runtimeRole}`,
    topics: [CHECKPOINTS],
    positions: () => Promise.resolve([]),
    onBatch: (records) => Promise.resolve(void published.push(...records)),
    onCrash: () => {},
  });
  const record = await eventually(() =>
    Promise.resolve(
      published.find(({ value }) => {
        const note = value?.toString() ?? '';
        return note.startsWith(`${origin}\n${shown.size}\n`);
      }),
    ),
  );
  await consumer.stop();
  expect(verifyRecord(record, world.authorities.peers)).toMatchObject({ ok: true, service: 'auditor' });
  expect(openCheckpoint((record.value as Buffer).toString(), origin, trusted.verifiers)).toEqual(shown);
});

it('records each read as an entry, with the reader under a pseudonym', async () => {
  const { entries } = await eventually(async () => {
    const page = await json<{ entries: EntryView[] }>('/v1/entries?type=access.read&limit=500');
    return page.entries.length > 0 ? page : undefined;
  });
  expect(entries[0]?.envelope).toMatchObject({
    service: 'auditor',
    event: { reader: world.keys.pseudonyms.person(OPERATOR), role: 'auditor' },
  });
  expect(JSON.stringify(entries)).not.toContain(OPERATOR);
});

describe('decisions that somebody keeps', () => {
  const check = (body: string, id: string | null = OPERATOR): Promise<Answer> =>
    auditor.ask('/v1/decisions/check', id, { method: 'POST', body });
  const asked = JSON.stringify({ decisions: [{ id: LEASE, data: common }] });

  it('are compared with the log for its readers', async () => {
    expect(await check(asked)).toMatchObject({
      status: 200,
      text: JSON.stringify({ absent: [LEASE], differ: [] }),
    });
  });

  it('are nothing to anybody else', async () => {
    expect(await check(asked, null)).toEqual(problem(401, 'ERR_UNAUTHENTICATED'));
    expect(await check(asked, STRANGER)).toEqual(problem(403, 'ERR_FORBIDDEN'));
  });

  it.each([
    ['no JSON', '{', 400, 'ERR_BODY_INVALID'],
    ['another document', '{"decisions":[{"id":1}]}', 400, 'ERR_BODY_INVALID'],
    ['too much of it', ' '.repeat(2 ** 21 + 1), 413, 'ERR_BODY_TOO_LARGE'],
  ])('are not read out of %s', async (_what, body, status, code) => {
    expect(await check(body)).toEqual(problem(status, code));
  });
});

describe('refusals', () => {
  it('asks who it is', async () => {
    for (const path of ['/v1/entries', '/v1/entries/0', '/v1/entries/0/proof', `/v1/tasks/${TASK}/story`])
      expect(await get(path, null)).toEqual(problem(401, 'ERR_UNAUTHENTICATED'));
  });

  it('lets in nobody without the role', async () => {
    expect(await get('/v1/entries', STRANGER)).toEqual(problem(403, 'ERR_FORBIDDEN'));
    expect(await get('/v1/entries', ORCHESTRATOR)).toEqual(problem(403, 'ERR_FORBIDDEN'));
  });

  it('takes no token that was bound to a key, and no other scheme', async () => {
    const bound = await world.svid(OPERATOR, 'mayfly:jkt:abc');
    for (const authorization of [`Bearer ${bound}`, 'Bearer x', `Basic ${bound}`])
      expect((await fetch(`${url}/v1/entries`, { headers: { authorization } })).status).toBe(401);
  });

  it.each([
    ['/v1/entries?task=1', 400, 'ERR_PARAMETER_UNKNOWN'],
    ['/v1/entries?limit=501', 400, 'ERR_PARAMETER_INVALID'],
    ['/v1/entries/abc', 400, 'ERR_PARAMETER_INVALID'],
    ['/v1/entries/0?x=1', 400, 'ERR_PARAMETER_UNKNOWN'],
    ['/v1/entries/999999', 404, 'ERR_ENTRY_NOT_FOUND'],
    ['/v1/entries/999999/proof', 404, 'ERR_ENTRY_NOT_FOUND'],
    ['/v1/tasks/nobody/story', 400, 'ERR_PARAMETER_INVALID'],
    ['/v1/tasks/01928c5e-0000-7000-8000-00000000dead/story', 404, 'ERR_TASK_NOT_FOUND'],
    ['/v1/nothing', 404, 'ERR_NOT_FOUND'],
    ['/v1/entries/%E0%A4%A', 400, 'ERR_REQUEST_INVALID'],
  ])('answers %s with %i %s', async (path, status, code) => {
    expect(await get(path)).toEqual(problem(status, code));
  });
});

it('is ready, and shows its metrics and its keys without a caller', async () => {
  await eventually(async () => ((await get('/health/ready', null)).status === 200 ? true : undefined));
  expect((await get('/metrics', null)).text).toContain('process_cpu_seconds_total');
  expect((await get('/.well-known/jwks.json', null)).text).toContain('"kid"');
});
