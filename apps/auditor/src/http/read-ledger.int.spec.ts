import { Audited } from '../../spec/audited.js';
import { ingesting } from '../../spec/ingesting.js';
import { common, OPERATOR, TASK } from '../../spec/world.js';
import { envelopeOf, readEntry } from '../log/entries.js';
import { ReadLedger } from './read-ledger.js';

let audited: Audited;
let ledger: ReadLedger;
beforeEach(async () => {
  audited = await Audited.open();
  ledger = new ReadLedger({ db: audited.log.runtime, send: () => {}, warn: () => {} });
});
afterEach(async () => {
  await ledger.stop();
  await audited.close();
});

const read = (more: object = {}) =>
  ledger.record({ reader: OPERATOR, role: 'auditor', route: 'GET:/v1/entries', asOf: 5n, ...more }, 1_000);
const recorded = async () => (await audited.queued()).map(({ data }) => data);

it('records what is read before it is answered: who, as what, what was asked, and of which log', async () => {
  await read({ query: 'sha256:ab', taskId: TASK });
  expect(await recorded()).toEqual([
    {
      ...{ taskId: TASK, generation: 0, actor: OPERATOR, at: '1970-01-01T00:00:01.000Z' },
      ...{ reader: OPERATOR, role: 'auditor', route: 'GET:/v1/entries', query: 'sha256:ab', asOf: 5 },
    },
  ]);
});

it('counts the same read again, and tells it as one', async () => {
  for (let i = 0; i < 30; i += 1) await read({ query: 'sha256:ab' });
  await read({ query: 'sha256:cd' });
  expect(await recorded()).toHaveLength(2);

  await ledger.tell(999);
  expect(await recorded()).toHaveLength(2);
  await ledger.tell(1_000);
  expect((await recorded()).slice(2)).toMatchObject([{ query: 'sha256:ab', count: 29 }]);

  await read({ query: 'sha256:ab' });
  expect(await recorded()).toHaveLength(4);
});

it('tells reads beyond a hundred different ones together, by route', async () => {
  for (let seq = 0; seq < 150; seq += 1) await read({ route: 'GET:/v1/entries/:seq', subject: String(seq) });
  await ledger.stop();
  const events = await recorded();
  expect(events).toHaveLength(101);
  expect(events.at(-1)).toMatchObject({ route: 'GET:/v1/entries/:seq', count: 50 });
  expect(events.at(-1)).not.toHaveProperty('subject');
});

it('tells what it counted when it stops', async () => {
  await Promise.all([read(), read(), read()]);
  await ledger.stop();
  expect(await recorded()).toMatchObject([{ asOf: 5 }, { asOf: 5, count: 2 }]);
});

it('is no loop: reading the reads makes one more, however many it shows', async () => {
  await audited.append(audited.world.wrote('broker', 'task.ended', { ...common, outcome: 'completed' }));
  for (let i = 0; i < 5; i += 1) await audited.json('/v1/entries?type=access.read');
  expect(await recorded()).toHaveLength(1);
});

it('leaves neither the reader nor the query in clear in the log', async () => {
  const query = `sha256:${'ab'.repeat(32)}`;
  const data = {
    ...common,
    reader: OPERATOR,
    role: 'auditor',
    route: 'GET:/v1/entries',
    query,
    asOf: 5,
    count: 2,
  };
  await ingesting(audited.log.runtime, audited.world).onBatch([
    audited.world.wrote('auditor', 'access.read', data),
  ]);
  const entry = await readEntry(audited.log.runtime.pool, 0n);
  const { event } = envelopeOf(entry?.leaf ?? Buffer.from('{}'));
  const { pseudonyms } = audited.world.keys;
  expect(event).toMatchObject({
    ...{ reader: pseudonyms.person(OPERATOR), query: pseudonyms.digest(query), asOf: 5, count: 2 },
  });
});
