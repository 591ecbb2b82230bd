/**
 * Calls at a steady rate for minutes: latency of each minute, the memory of each service and how far it is behind, after minutes of warming up,
 * in the first of which the rate grows to its full: code that was never run before is slow, and what piles up behind it would be measured
 * for minutes.
 * Tasks are ended as they are used up, so that leases come and go. Asked for by name only: `--case soak [--rate 200] [--minutes 10]`,
 * and `--case soak-jwt`, where each call is answered with a token.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { processorTime } from '../processor.mjs';
import { recordsBehind, residentMiB } from '../services.mjs';
import { ON_A_DATABASE, WITH_A_TOKEN } from '../sample-world.mjs';
import { latencies } from '../stats.mjs';

const SERVICES = ['broker', 'revoker', 'auditor', 'signer'];
const CALLS_A_TASK = 50;
const MINUTE_MS = 60_000;
const WARM_MINUTES = 3;
const READERS = ['broker', 'revoker', 'auditor'];

const named = (name, act) => ({
  name,
  needsStack: true,
  byNameOnly: true,
  run: ({ world, size }) => world.hearing(() => run(world, size, act)),
});
export const soak = named('soak', ON_A_DATABASE);
export const soakJwt = named('soak-jwt', WITH_A_TOKEN);

async function run(world, { callsPerSecond, minutes }, act) {
  const tasks = new TaskSupply(world);
  const minutesMs = Array.from({ length: WARM_MINUTES + minutes }, () => []);
  const memory = [];
  const behind = [];
  const lostIn = minutesMs.map(() => 0);
  const running = new Set();
  const startMs = performance.now();
  let used;
  for (const { afterMs, minute, isFirst } of moments(callsPerSecond, minutes)) {
    const dueMs = startMs + afterMs;
    if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    if (isFirst && minute >= WARM_MINUTES) {
      used ??= processorTime(world.stack);
      memory.push(await residentMiB(world.stack, SERVICES));
      behind.push(await recordsBehind(world.stack, READERS));
    }
    const taskId = await tasks.next();
    const call = world
      .call(taskId, act)
      .then(({ answer, ms }) => (answer === 'delivered' ? minutesMs[minute].push(ms) : (lostIn[minute] += 1)))
      .catch(() => (lostIn[minute] += 1))
      .finally(() => running.delete(call));
    running.add(call);
  }
  const spent = used(minutes * 60 * callsPerSecond);
  memory.push(await residentMiB(world.stack, SERVICES));
  behind.push(await recordsBehind(world.stack, READERS));
  await Promise.all(running);
  tasks.close();
  const measured = minutesMs.slice(WARM_MINUTES);
  for (const [i, valuesMs] of measured.entries())
    process.stdout.write(
      `minute ${i + 1}: ${JSON.stringify({ ...latencies(valuesMs), lost: lostIn[WARM_MINUTES + i], memory: memory[i + 1], behind: behind[i + 1] })}\n`,
    );
  const p50s = measured.map((valuesMs) => latencies(valuesMs).p50Ms);
  const p99s = measured.map((valuesMs) => latencies(valuesMs).p99Ms);
  const [first] = memory;
  const last = memory.at(-1);
  return {
    'calls/s': callsPerSecond,
    minutes,
    lost: lostIn.reduce((sum, lost) => sum + lost, 0),
    'lost warming up': lostIn.slice(0, WARM_MINUTES).reduce((sum, lost) => sum + lost, 0),
    'p50Ms first minute': p50s[0],
    'p50Ms last minute': p50s.at(-1),
    'p99Ms first minute': p99s[0],
    'p99Ms last minute': p99s.at(-1),
    ...Object.fromEntries(Object.entries(spent).map(([part, ms]) => [`processor ms a call: ${part}`, ms])),
    ...Object.fromEntries(
      SERVICES.flatMap((service) => [
        [`${service} MiB warm`, first[service]],
        [`${service} MiB growth %`, Math.round((100 * (last[service] - first[service])) / first[service])],
      ]),
    ),
    ...Object.fromEntries(
      READERS.map((service) => [`records ${service} is behind at the end`, behind.at(-1)[service]]),
    ),
  };
}

/** When each call is due: in the first minute more and more often, half as many as in each that follows. */
function* moments(callsPerSecond, minutes) {
  const whole = 60 * callsPerSecond;
  for (let n = 0; n < whole / 2; n += 1)
    yield { afterMs: MINUTE_MS * Math.sqrt(n / (whole / 2)), minute: 0, isFirst: n === 0 };
  for (let minute = 1; minute < WARM_MINUTES + minutes; minute += 1)
    for (let n = 0; n < whole; n += 1)
      yield { afterMs: MINUTE_MS * (minute + n / whole), minute, isFirst: n === 0 };
}

/** Tasks with calls left, the next ones started before they are needed; those used up are ended. */
class TaskSupply {
  #open = [];
  #used = 0;
  #more;
  #ending = new Set();

  constructor(world) {
    this.world = world;
  }

  async next() {
    if (this.#open.length <= 10) this.#more ??= this.#start();
    if (this.#open.length === 0) await this.#more;
    const taskId = this.#open[this.#used % this.#open.length];
    this.#used += 1;
    if (this.#used % CALLS_A_TASK === 0) {
      const gone = this.#open.shift();
      // Its last calls are still under way.
      const timer = setTimeout(() => {
        this.#ending.delete(timer);
        void this.world.endTasks([gone]);
      }, 5_000);
      this.#ending.add(timer);
    }
    return taskId;
  }

  /** What has not ended by then runs out. */
  close() {
    for (const timer of this.#ending) clearTimeout(timer);
  }

  async #start() {
    this.#open.push(...(await this.world.startTasks(10)));
    this.#more = undefined;
  }
}
