/** A token exchange over HTTP with DPoP (RFC 8693, RFC 9449): at a steady rate, and as many as some clients at once can have. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { URLSearchParams } from 'node:url';
import { mintSvid } from '../../dist/libs/identity/src/development/mint-svid.js';
import { atRate } from '../at-rate.mjs';
import { processorTime } from '../processor.mjs';
import { ANALYST, WITH_A_TOKEN } from '../sample-world.mjs';
import { latencies } from '../stats.mjs';

export const name = 'http-token';
export const needsStack = true;

const CALLS_A_TASK = 50;
const RETRY_AFTER_MS = 100;
const CLIENTS = 32;

export async function run({ world, size }) {
  const { calls, callsPerSecond, backlog } = size;
  const agent = await Agent.of(world);
  const tasks = await world.hearing(() => world.startTasks(Math.ceil((calls + backlog) / CALLS_A_TASK)));
  const taskOf = (n) => tasks[n % tasks.length];
  await agent.token(taskOf(0));

  const valuesMs = await atRate(calls - 1, callsPerSecond, (n) => agent.token(taskOf(n + 1)));
  const used = processorTime(world.stack);
  const backlogMs = performance.now();
  let next = calls;
  const client = async () => {
    while (next < calls + backlog) await agent.token(taskOf(next++));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const tookS = (performance.now() - backlogMs) / 1_000;
  const spent = used(backlog);
  await world.hearing(() => world.endTasks(tasks));
  return {
    'exchanges/s asked': callsPerSecond,
    ...latencies(valuesMs.slice(Math.floor(calls / 10))),
    'turned away': agent.turnedAway,
    [`exchanges/s of ${CLIENTS} clients`]: Math.round(backlog / tookS),
    ...Object.fromEntries(
      Object.entries(spent).map(([part, ms]) => [`processor ms an exchange: ${part}`, ms]),
    ),
  };
}

class Agent {
  /** Times that the broker said: later. */
  turnedAway = 0;
  #nonce;

  static async of(world) {
    const agent = new Agent();
    const { broker } = world.stack.addresses;
    agent.url = `${broker}/oauth/token`;
    agent.key = world.analyst.key;
    const svid = { stateDir: world.stateDir, id: ANALYST, audience: broker, ttlS: 3_600 };
    agent.assertion = await mintSvid(svid);
    return agent;
  }

  /** @returns how long it took, answers to a stale nonce and to too many at once included. @throws Error when there is no token */
  async token(taskId) {
    const startMs = performance.now();
    let reply = await this.#ask(taskId);
    if (reply.json.error === 'use_dpop_nonce') reply = await this.#ask(taskId);
    while (reply.json.error === 'temporarily_unavailable') {
      this.turnedAway += 1;
      await sleep(RETRY_AFTER_MS);
      reply = await this.#ask(taskId);
    }
    if (reply.json.token_type !== 'DPoP') throw new Error(`no token: ${JSON.stringify(reply.json)}`);
    return performance.now() - startMs;
  }

  async #ask(taskId) {
    const { tool, dataset, action } = WITH_A_TOKEN;
    const detail = { type: 'mayfly_tool_access', task: taskId, tool, dataset, actions: [action] };
    const reply = await fetch(this.url, {
      method: 'POST',
      headers: { DPoP: this.#proof() },
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
        client_assertion: this.assertion,
        subject_token: this.assertion,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        authorization_details: JSON.stringify([detail]),
      }),
    });
    this.#nonce = reply.headers.get('dpop-nonce') ?? this.#nonce;
    return { json: await reply.json() };
  }

  #proof() {
    const nonce = this.#nonce === undefined ? {} : { nonce: this.#nonce };
    return this.key.signJws(
      { typ: 'dpop+jwt', jwk: this.key.publicJwk },
      { jti: randomUUID(), htm: 'POST', htu: this.url, iat: Math.floor(Date.now() / 1_000), ...nonce },
    );
  }
}
