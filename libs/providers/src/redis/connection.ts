/**
 * One connection to one node. Nothing is sent twice and nothing waits for a connection to come back: whatever goes wrong, it is thrown
 * away with all that was under way on it, and the next one to ask opens another.
 */
import { isIP } from 'node:net';
import { createClient } from '@redis/client';
import type { Log } from '#telemetry/log.js';
import type { Command, Reply } from './acl.js';
import { CONFIG_ASKED, configIn, lifeIn, unfitness, type Life } from './life.js';
import type { RedisSettings } from './settings.js';

/** Each kind of work has its own, so that nothing on the kill path waits behind creating or listing. */
export type Use = 'create' | 'cut' | 'tidy';

const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 5_000;
/** See `STALE_AFTER_MS` in prune.ts: one that creates is not kept until it is closed from the other side. */
const CREATES_FOR_MS = 240_000;

/** How a connection of ours is called at the server (`CLIENT LIST`). */
export const nameOf = (namespace: string, use: Use): string => `mayfly-${namespace}-${use}`;

/** In use, in one life of the server: a server that starts anew takes its connections with it. */
export interface Open {
  life: Life;
  /** Why nothing may be lent there; null where it may, and where nobody asked. */
  unfit: string | null;
  sinceMs: number;
  /** @returns the answers, in their order. @throws ErrorReply the first that is an error, or the driver's error when there is no answer */
  send(commands: readonly Command[]): Promise<Reply[]>;
  /** Of which another client sees all or nothing; an error of one of them is in its place. */
  atomically(commands: readonly Command[]): Promise<Reply[]>;
  /** Resolves once what is under way was answered. */
  close(): Promise<void>;
}

export interface Place {
  host: string;
  port: number;
}

export class Connection {
  #opening: Promise<Open> | undefined;
  #closed = false;

  constructor(
    readonly node: Place,
    private readonly use: Use,
    private readonly settings: RedisSettings,
    private readonly log: Log,
  ) {}

  /** The one that is open, or a new one. @throws as `Open.send` */
  async open(): Promise<Open> {
    if (this.#closed) throw new Error('connection is closed');
    const opening = (this.#opening ??= this.#connect());
    const open = await opening;
    if (this.use === 'create' && performance.now() - open.sinceMs > CREATES_FOR_MS) {
      this.#forget(opening);
      void open.close();
      return this.open();
    }
    return open;
  }

  async send(commands: readonly Command[]): Promise<Reply[]> {
    return (await this.open()).send(commands);
  }

  async atomically(commands: readonly Command[]): Promise<Reply[]> {
    return (await this.open()).atomically(commands);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = await this.#opening?.catch(() => undefined);
    await open?.close();
  }

  #connect(): Promise<Open> {
    const opening: Promise<Open> = openConnection(this.node, this.use, this.settings, (err) => {
      this.#forget(opening);
      this.log.debug({ err, node: this.node, use: this.use }, 'connection to target lost');
    }).catch((error: unknown) => {
      this.#forget(opening);
      throw error;
    });
    return opening;
  }

  #forget(opening: Promise<Open>): void {
    if (this.#opening === opening) this.#opening = undefined;
  }
}

async function openConnection(
  node: Place,
  use: Use,
  settings: RedisSettings,
  lost: (error: unknown) => void,
): Promise<Open> {
  const client = newClient(node, use, settings);
  client.on('error', lost);
  const drop = (reason: Error): void => {
    lost(reason);
    // Whatever waits on it is then rejected, and nobody reads what may come after all.
    if (client.isOpen) client.destroy();
  };
  const underWay = new Set<Promise<unknown>>();
  let heardAtMs = 0;
  client.on('connect', () => (heardAtMs = performance.now()));
  /** A server that answers at all is waited for, however much was asked of it at once; one that says nothing for so long is not. */
  const answered = async <T>(withinMs: number, asked: Promise<T>): Promise<T> => {
    const askedAtMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    let late: NodeJS.Immediate | undefined;
    const leftMs = () => Math.max(askedAtMs, heardAtMs) + withinMs - performance.now();
    const watch = (): void => {
      // What came while this process stood still is read before it is judged.
      timer = setTimeout(() => {
        late = setImmediate(() => (leftMs() > 0 ? watch() : drop(new Error('no answer in time'))));
      }, leftMs());
    };
    watch();
    underWay.add(asked);
    try {
      return await asked;
    } finally {
      heardAtMs = performance.now();
      clearTimeout(timer);
      clearImmediate(late);
      underWay.delete(asked);
    }
  };
  const send = (commands: readonly Command[]): Promise<Reply[]> =>
    answered(ANSWER_WITHIN_MS, Promise.all(commands.map((command) => client.sendCommand<Reply>(command))));

  const begin = async (): Promise<Open> => {
    await client.connect();
    const asked: Command[] = [['INFO', 'server']];
    if (use === 'create') asked.push(['CONFIG', 'GET', ...CONFIG_ASKED]);
    const [info, config] = await send(asked);
    const life = lifeIn(info, Date.now());
    return {
      life,
      unfit: use === 'create' ? unfitness(life, configIn(config), settings) : null,
      sinceMs: performance.now(),
      send,
      async atomically(commands) {
        const replies = await send([['MULTI'], ...commands, ['EXEC']]);
        const done = replies.at(-1);
        if (!Array.isArray(done)) throw new Error('transaction was not executed');
        return done;
      },
      async close() {
        await Promise.allSettled(underWay);
        if (client.isOpen) client.destroy();
      },
    };
  };
  try {
    return await answered(CONNECT_WITHIN_MS, begin());
  } catch (error) {
    if (client.isOpen) client.destroy();
    throw error;
  }
}

function newClient({ host, port }: Place, use: Use, { login, namespace, tls }: RedisSettings) {
  return createClient({
    username: login.user,
    password: login.password.reveal(),
    name: nameOf(namespace, use),
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    socket: {
      ...{ host, port, connectTimeout: 2 * CONNECT_WITHIN_MS, reconnectStrategy: false, keepAlive: true },
      ...(tls.mode === 'disable'
        ? {}
        : {
            ...{ tls: true, rejectUnauthorized: true },
            ...(isIP(host) === 0 ? { servername: host } : {}),
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
          }),
    },
  });
}
