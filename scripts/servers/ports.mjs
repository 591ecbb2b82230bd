import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from './problem.mjs';

const LOOPBACK = '127.0.0.1';

/** @returns {Promise<number>} the port it got, or null when `port` is taken (0 asks for any) */
function tryListen(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      const { port: got } = server.address();
      server.close(() => resolve(got));
    });
  });
}

/** A port of the loopback interface that nobody listens on right now. */
export async function freePort() {
  return tryListen(0);
}

/**
 * A port as the environment gives it.
 * @param {string} variable its name
 * @param {string | undefined} value its text; `undefined` and the empty string leave the choice to the default, `0` asks for any free one
 * @param {number} fallback the default
 * @returns {{ variable: string, wanted: number, explicit: boolean }}
 * @throws {Problem} when the text is not a port
 */
export function portChoice(variable, value, fallback) {
  if (value === undefined || value === '') return { variable, wanted: fallback, explicit: false };
  const wanted = /^\d{1,5}$/.test(value) ? Number(value) : NaN;
  if (!(wanted <= 65_535)) {
    throw new Problem(
      `${variable} is \`${value}\`, which is not a port`,
      'Set it to a number from 0 to 65535',
    );
  }
  return { variable, wanted, explicit: wanted !== 0 };
}

/**
 * The port to use for a choice: the wanted one when it is free, any free one in place of a default that is taken.
 * @param {{ variable: string, wanted: number, explicit: boolean }} choice
 * @returns {Promise<number>}
 * @throws {Problem} when a port that was set explicitly is in use
 */
export async function takePort(choice) {
  if (choice.wanted === 0) return freePort();
  const got = await tryListen(choice.wanted);
  if (got !== null) return got;
  if (choice.explicit) throw portInUse(choice);
  return freePort();
}

/** @returns {Problem} */
export function portInUse(choice) {
  return new Problem(
    `${choice.variable} asks for port ${choice.wanted}, which is in use`,
    `Free the port, or unset ${choice.variable} to let a free one be chosen`,
  );
}

/**
 * Runs `attempt` with the port of a choice. Between looking at a port and a server's listening on it another program can take
 * it, so a port that was not set explicitly is chosen anew when the attempt fails on a taken one.
 * @template T
 * @param {{ variable: string, wanted: number, explicit: boolean }} choice
 * @param {(port: number) => Promise<T>} attempt rejects with an error that has `portTaken: true` when the port was lost
 * @returns {Promise<T>}
 */
export async function withPort(choice, attempt) {
  for (let tries = 1; ; tries += 1) {
    const port = await takePort(choice);
    try {
      return await attempt(port);
    } catch (error) {
      if (error?.portTaken !== true) throw error;
      if (choice.explicit) throw portInUse(choice);
      if (tries === 3) throw error;
    }
  }
}

/** Whether something accepts connections there. */
export function accepts(port, host = LOOPBACK) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.end());
  });
}

/**
 * Polls `check` until it holds.
 * @param {() => Promise<boolean> | boolean} check
 * @param {{ everyMs: number, withinMs: number, ended?: () => boolean }} limits `ended` gives up early: what is waited for is gone
 * @returns {Promise<boolean>} false when the time ran out or it ended
 */
export async function eventually(check, { everyMs, withinMs, ended = () => false }) {
  const until = performance.now() + withinMs;
  while (!ended()) {
    if (await check()) return true;
    if (performance.now() > until) return false;
    await sleep(everyMs);
  }
  return false;
}
