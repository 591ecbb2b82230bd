/** Floods of refused records: few are written down singly, all are counted, and nobody's events are lost for them. */
import { v7 as uuidv7 } from 'uuid';
import type { BusRecord } from '#bus/bus.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { STRANGER } from '../test/voices.js';
import { REFUSAL_WINDOW_MS } from './refusals.js';
import { closeRefusals } from './tell-refusals.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

/** Forgeries in the name of the sender of a record: its headers with other bytes. */
async function forgeries(count: number): Promise<BusRecord[]> {
  const forged: BusRecord[] = [];
  const record = await world.voices.starts(uuidv7());
  for (let n = 0; n < count; n += 1) {
    const { partition, offset } = await world.voices.starts(uuidv7());
    const value = Buffer.from(String(record.value).replace('October', `forgery ${n}`));
    forged.push({ ...record, partition, offset, value });
  }
  return forged;
}
const rejected = () => world.events('unknown', 'event.rejected');
const passWindow = () =>
  world.query('UPDATE refusal_window SET opened_at_ms = opened_at_ms - $1', [REFUSAL_WINDOW_MS]);

it('counts forgeries beyond the first ones, and takes the good task between them', async () => {
  const flood = await forgeries(60);
  const good = uuidv7();

  await broker.hear(...flood.slice(0, 30), await world.voices.starts(good), ...flood.slice(30));
  await broker.hear(await world.voices.calls(good));
  await world.hears(good, 'lease.issued');

  const about = flood[0]?.key?.toString() ?? '';
  expect(world.events(about, 'event.rejected')).toHaveLength(20);
  expect(world.deadLetters).toHaveLength(20);
  await passWindow();
  await closeRefusals(broker.parts);
  await world.hears('unknown', 'event.rejected');
  expect(rejected()).toMatchObject([
    {
      code: 'ERR_PROOF_MISMATCH',
      count: 40,
      record: { offset: String(flood[20]?.offset) },
      last: { offset: String(flood[59]?.offset) },
    },
  ]);
  expect(rejected()[0]).not.toHaveProperty('sender');
});

it('tells the count with the next refusal, once its while is over', async () => {
  await broker.hear(...(await forgeries(25)));
  await passWindow();

  await broker.hear(...(await forgeries(1)));

  expect(await world.hears('unknown', 'event.rejected')).toMatchObject([{ count: 5 }]);
  expect(await world.query('SELECT singly, count FROM refusal_window')).toEqual([{ singly: 1, count: 0 }]);
});

it('counts a record once that is delivered twice', async () => {
  const flood = await forgeries(30);
  await broker.hear(...flood);
  await (await world.start()).hear(...flood);

  expect(await world.query('SELECT singly, count FROM refusal_window')).toEqual([{ singly: 20, count: 10 }]);
});

it('tells a count once where two brokers close at the same time, and keeps no window that is over', async () => {
  const other = await world.start();
  await broker.hear(...(await forgeries(25)));
  await passWindow();

  await Promise.all([closeRefusals(broker.parts), closeRefusals(other.parts)]);
  await world.quiet();

  expect(rejected()).toHaveLength(1);
  expect(await world.query('SELECT FROM refusal_window')).toEqual([]);
});

it('leaves a window that is not over', async () => {
  await broker.hear(...(await forgeries(25)));

  await closeRefusals(broker.parts);

  expect(rejected()).toEqual([]);
  expect(await world.query('SELECT count FROM refusal_window')).toEqual([{ count: 5 }]);
});

it('knows a sender who was authenticated by name, apart from forgeries', async () => {
  const strangers: BusRecord[] = [];
  for (let n = 0; n < 3; n += 1) strangers.push(await world.voices.starts(uuidv7(), {}, STRANGER));

  await broker.hear(...strangers, ...(await forgeries(3)));

  expect(await world.query('SELECT sender, singly FROM refusal_window ORDER BY sender')).toEqual([
    { sender: '', singly: 3 },
    { sender: STRANGER, singly: 3 },
  ]);
});
