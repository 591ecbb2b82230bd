/** What a broker writes down of a call is enough to explain it. */
import { v7 as uuidv7 } from 'uuid';
import { explainCall } from '#policy/explain/explain-call.js';
import { loadPolicies } from '#policy/load-policies.js';
import type { RecordedCall } from '#policy/replay/rejudge.js';
import { World } from '../../test/harness.js';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const recorded = () =>
  world.query<RecordedCall>(
    `SELECT data AS decided, (SELECT inputs FROM decision_input WHERE digest = data ->> 'inputs') AS inputs
       FROM event WHERE type = 'call.decided' ORDER BY version`,
  );

it('a permit, a denial by a guard, and a wall', async () => {
  const broker = await world.start();
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId));
  await broker.hear(await world.voices.calls(taskId));
  await broker.hear(await world.voices.calls(taskId, { dataset: 'hr.salaries' }));
  await broker.hear(await world.voices.calls(taskId, { dataset: 'crm.customers' }));
  await world.hears(taskId, 'call.decided', 3);
  const policies = await loadPolicies('deploy/sample/policy');

  const [permit, denial, wall] = (await recorded()).map((call) => explainCall(call, policies));

  expect(permit).toMatchObject({
    ...{ inputs: { state: 'kept' }, policySet: { isSame: true }, today: { decision: 'permit' } },
    ttlBy: ['tools.warehouse', 'data.crm-read'],
  });
  expect(denial).toMatchObject({ inputs: { state: 'kept' }, today: { code: 'ERR_DATASET_FORBIDDEN' } });
  expect(denial?.checks.at(-1)?.policies).toMatchObject([
    { id: 'guard.salaries', today: { effect: 'forbid' } },
  ]);
  expect(wall).toMatchObject({ inputs: { state: 'none' }, decided: { code: 'ERR_NOT_DECLARED' } });
  expect(wall?.checks.at(-1)).toMatchObject({ check: 'in_declaration', ok: false });
});
