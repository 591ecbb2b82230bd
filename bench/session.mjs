/** An agent that logs in with what a call got it, and stays: a session that must not outlive its lease. */
import pg from 'pg';
import { openEnvelope } from '../dist/libs/agent/src/open-envelope.js';
import { ANALYST } from './sample-world.mjs';

/** @returns {Promise<{ died: Promise<number> }>} once it is open; `died` resolves with when it was ended from the other side */
export async function openSession(world, taskId) {
  const { envelope, callId } = await world.call(taskId);
  const asked = { taskId, callId, agent: ANALYST };
  const { connection } = await openEnvelope(envelope, world.sealKey, asked);
  const session = new pg.Client({ ...connection, ssl: false, password: connection.password.reveal() });
  const died = new Promise((resolve) => session.on('error', () => resolve(performance.now())));
  await session.connect();
  await session.query('SELECT 1');
  return { died };
}
