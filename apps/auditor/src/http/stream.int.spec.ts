import { Audited } from '../../spec/audited.js';
import { ANALYST, CALL, common, LEASE, OPERATOR } from '../../spec/world.js';

const operators = new Map([[OPERATOR, { id: OPERATOR, roles: ['auditor' as const] }]]);
let audited: Audited;
let readings: Reading[];
beforeEach(async () => {
  operators.set(OPERATOR, { id: OPERATOR, roles: ['auditor' as const] });
  audited = await Audited.open(operators);
  readings = [];
});
afterEach(async () => {
  for (const each of readings) each.leave();
  await audited.close();
});

const issued = (n: number) =>
  Array.from({ length: n }, () =>
    audited.world.wrote('broker', 'lease.issued', {
      ...common,
      leaseId: LEASE,
      callId: CALL,
      agent: ANALYST,
    }),
  );
const ended = () => audited.world.wrote('broker', 'task.ended', { ...common, outcome: 'completed' });

interface Event {
  event: string;
  id: string;
  data: { seq?: number; size?: number };
}

/** Reads events one by one, as a client does. */
class Reading {
  #text = '';
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** @returns undefined at the end */
  async next(): Promise<Event | undefined> {
    for (;;) {
      const at = this.#text.indexOf('\n\n');
      if (at >= 0) {
        const fields = this.#text.slice(0, at).split('\n');
        this.#text = this.#text.slice(at + 2);
        const of = (name: string) =>
          fields.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = of('data');
        if (data === undefined) continue;
        return { event: of('event') ?? '', id: of('id') ?? '', data: JSON.parse(data) as Event['data'] };
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += Buffer.from(value).toString('utf8');
    }
  }

  /** Numbers of entries, and sizes of heads, until the head of this size. */
  async until(size: number): Promise<string[]> {
    const told: string[] = [];
    for (;;) {
      const event = await this.next();
      if (event === undefined) throw new Error('the stream ended');
      told.push(event.event === 'entry' ? String(event.data.seq) : `head ${event.data.size}`);
      if (event.data.size === size) return told;
    }
  }

  leave(): void {
    void this.#reader.cancel().catch(() => undefined);
  }
}

async function open(query = '', headers: Record<string, string> = {}): Promise<Reading> {
  const response = await audited.fetch(`/v1/stream${query}`, OPERATOR, headers);
  if (response.status !== 200 || response.body === null) throw new Error(await response.text());
  const reading = new Reading(response.body);
  readings.push(reading);
  return reading;
}

it('tells what comes into the log, once it is signed', async () => {
  await audited.append(...issued(2));
  const reading = await open();
  expect(await reading.until(2)).toEqual(['head 2']);
  await audited.append(...issued(2), ended());
  expect(await reading.until(5)).toEqual(['2', '3', '4', 'head 5']);
});

it('goes on behind the entry that a reader had last', async () => {
  await audited.append(...issued(250));
  const first = await open('?after=9');
  const had = await first.next();
  first.leave();
  expect(had).toMatchObject({ event: 'entry', id: '10', data: { seq: 10 } });

  await audited.append(ended());
  const second = await open('', { 'Last-Event-ID': had?.id ?? '' });
  // The head of before may be told on the way.
  const told = (await second.until(251)).filter((each) => each !== 'head 250');
  expect(told).toEqual([...Array.from({ length: 240 }, (_, i) => String(i + 11)), 'head 251']);
});

it('tells what a filter lets pass, and goes on behind what it does not', async () => {
  await audited.append(...issued(3), ended(), ...issued(3));
  const reading = await open('?after=0&filter=type%3Dtask.ended');
  expect(await reading.next()).toMatchObject({ event: 'entry', id: '3' });
  expect(await reading.next()).toMatchObject({ event: 'as_of', id: '6', data: { size: 7 } });
});

it('records that it was read, and at its end how far', async () => {
  await audited.append(...issued(3));
  const reading = await open('?after=0');
  await reading.until(3);
  await audited.http.close();
  const events = (await audited.queued()).map(({ data }) => data);
  expect(events).toMatchObject([
    { route: 'GET:/v1/stream', role: 'auditor', asOf: 3 },
    { route: 'GET:/v1/stream', subject: '2' },
  ]);
  expect(await reading.next()).toBeUndefined();
});

it('ends for a reader whose role was taken away', async () => {
  await audited.append(...issued(1));
  const reading = await open('?after=0');
  await reading.until(1);
  operators.delete(OPERATOR);
  expect(await reading.next()).toBeUndefined();
});

it.each([
  ['?filter=colour%3Dred', 'ERR_FILTER_FIELD_UNKNOWN'],
  ['?after=x', 'ERR_PARAMETER_INVALID'],
  ['?limit=5', 'ERR_PARAMETER_UNKNOWN'],
])('refuses %s before it begins', async (query, code) => {
  expect(await audited.get(`/v1/stream${query}`)).toMatchObject({
    status: 400,
    text: expect.stringContaining(`"${code}"`) as string,
  });
});

it('is open so many times for one reader, and no more', async () => {
  await audited.append(...issued(1));
  for (let i = 0; i < 4; i += 1) await (await open('?after=0')).until(1);
  const fifth = await audited.get('/v1/stream');
  expect(fifth).toMatchObject({
    status: 429,
    text: expect.stringContaining('"ERR_TOO_MANY_STREAMS"') as string,
  });
  expect(fifth.headers.get('retry-after')).toBe('5');
});
