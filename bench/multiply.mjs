/** Leases that live on for a day: rows of one real lease, again under other ids, without roles at the target. */
import pg from 'pg';

const ROWS = {
  broker: `
    INSERT INTO broker.lease (lease_id, task_id, agent, call_id, state, cut_heard, intent, create_by, claimed_by, envelope)
    SELECT gen.id, task_id, agent, gen.id, state, cut_heard, jsonb_set(intent, '{leaseId}', to_jsonb(gen.id)), create_by,
           claimed_by, envelope
      FROM broker.lease, (SELECT gen_random_uuid()::text AS id FROM generate_series(1, $2)) AS gen WHERE call_id = $1`,
  revoker: `
    INSERT INTO revoker.lease (lease_id, task_id, target, state, not_after, act_at, taken_by, body)
    SELECT gen.id, task_id, target, state, now() + interval '1 day', NULL, NULL, jsonb_set(body, '{leaseId}', to_jsonb(gen.id))
      FROM revoker.lease, (SELECT gen_random_uuid()::text AS id FROM generate_series(1, $2)) AS gen
     WHERE lease_id = (SELECT lease_id FROM broker.lease WHERE call_id = $1)`,
};

/** @param services in whose databases the leases are known */
export async function multiply(world, taskId, count, services) {
  const { callId } = await world.call(taskId);
  await asAdmin(world, async (client) => {
    for (const service of services) await client.query(ROWS[service], [callId, count]);
    await client.query('ANALYZE');
  });
}

/** Runs `work` with a connection to Mayfly's own PostgreSQL. */
export async function asAdmin(world, work) {
  const client = new pg.Client({ connectionString: world.stack.urls.database });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
