/** Who reads: how often, what its role is for, of which tenant; and a story as it was. */
import { Audited, seqs } from '../../spec/audited.js';
import { BUSY, NADIA, OLGA, READERS } from '../../spec/readers.js';
import { ANALYST, common, ORCHESTRATOR, started, TASK } from '../../spec/world.js';
import type { StoryView } from './api-schemas.js';

let audited: Audited;
beforeEach(async () => {
  audited = await Audited.open(READERS);
});
afterEach(() => audited.close());

const issued = (n: number) => audited.issued(n);
const page = (query: string, id?: string) => audited.page(query, id);
const found = async (filter: string, id?: string) =>
  seqs(await page(`filter=${encodeURIComponent(filter)}`, id));

describe('readers', () => {
  it('are told how often they may ask, and to wait', async () => {
    await audited.append(...issued(1));
    const first = await audited.get('/v1/entries/0', BUSY);
    expect(first.headers.get('ratelimit-policy')).toBe('"reads";q=200;w=4');
    expect(first.headers.get('ratelimit')).toBe('"reads";r=199;t=1');

    const token = await audited.token(BUSY);
    const ask = () =>
      fetch(`${audited.http.url}/v1/entries/0`, { headers: { authorization: `Bearer ${token}` } });
    let limited: Response | undefined;
    for (let i = 0; i < 40 && limited === undefined; i += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, ask));
      limited = answers.find(({ status }) => status === 429);
    }
    expect(limited?.headers.get('retry-after')).toBe('1');
    expect(limited?.headers.get('ratelimit')).toContain('r=0');
    expect(await limited?.json()).toMatchObject({ code: 'ERR_RATE_LIMITED' });
    expect((await audited.get('/v1/entries/0')).status).toBe(200);
  });

  it('are people too, and each reads what its role is for', async () => {
    await audited.append(await audited.world.said('task.started', started, ORCHESTRATOR));
    const forbidden = { status: 403, text: expect.stringContaining('"ERR_FORBIDDEN"') as string };
    expect(await audited.json<StoryView>(`/v1/tasks/${TASK}/story`, OLGA)).toMatchObject({
      taskId: TASK,
      as_of: { size: 1 },
    });
    for (const path of ['/v1/entries', '/v1/entries/0', '/v1/entries/0/proof', '/v1/stream'])
      expect(await audited.get(path, OLGA)).toMatchObject(forbidden);
    expect(await audited.get(`/v1/tasks/${TASK}/story`, ANALYST)).toMatchObject(forbidden);
    expect((await audited.queued())[0]?.data).toMatchObject({ reader: OLGA, role: 'operator', taskId: TASK });
  });

  it('of a tenant see what is of it, and nothing else', async () => {
    const other = TASK.replace(/1$/, '9');
    await audited.append(
      await audited.world.said('task.started', started, ORCHESTRATOR),
      audited.world.wrote('broker', 'task.accepted', common),
      audited.world.wrote(
        'broker',
        'task.accepted',
        { ...common, taskId: other, tenant: 'acme' },
        { key: other },
      ),
      ...issued(1),
    );
    expect(seqs(await page('', NADIA))).toEqual([1, 3]);
    expect(await found('tenant=acme OR NOT tenant=acme', NADIA)).toEqual([1, 3]);
    expect((await audited.get('/v1/entries/1', NADIA)).status).toBe(200);
    for (const path of ['/v1/entries/2', '/v1/entries/2/proof', '/v1/entries/0'])
      expect(await audited.get(path, NADIA)).toMatchObject({ status: 404 });
    expect((await audited.json<StoryView>(`/v1/tasks/${TASK}/story`, NADIA)).steps).toHaveLength(3);
    expect((await audited.get(`/v1/tasks/${other}/story`, NADIA)).status).toBe(404);
    expect((await audited.get(`/v1/tasks/${other}/story`)).status).toBe(200);
  });
});

it('tells a story as it was when the log had so many entries', async () => {
  await audited.append(await audited.world.said('task.started', started, ORCHESTRATOR));
  const early = await audited.json<StoryView>(`/v1/tasks/${TASK}/story`);
  await audited.append(audited.world.wrote('broker', 'task.accepted', common), ...issued(1));

  const told = (at: string) => audited.json<StoryView>(`/v1/tasks/${TASK}/story${at}`);
  expect((await told('')).steps).toHaveLength(3);
  expect(await told('?at=1')).toEqual(early);
  expect(await told('?at=2')).toMatchObject({ steps: { length: 2 }, as_of: { size: 2 } });
  expect((await audited.get(`/v1/tasks/${TASK}/story?at=0`)).status).toBe(404);
  for (const at of ['4', 'now'])
    expect(await audited.get(`/v1/tasks/${TASK}/story?at=${at}`)).toMatchObject({
      status: 400,
      text: expect.stringContaining('"parameter":"at"') as string,
    });
});
