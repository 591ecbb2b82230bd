/** A broker's HTTP for integration specs: the real module on a port of its own, and requests as an agent or orchestrator makes them. */
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { ProblemFilter } from '#service/problem.js';
import { Metrics } from '#telemetry/metrics.js';
import { BrokerModule } from '../src/broker.module.js';
import { openHttp, type BrokerHttpParts } from '../src/http/broker-http.js';
import { problemOf } from '../src/http/problems.js';
import { v7 as uuidv7 } from 'uuid';
import { World, type BrokerProcess } from './harness.js';

export interface Door {
  url: string;
  close: () => Promise<void>;
}

/** Longer than any machine stands still: only who asks for less is told that an outcome does not come. */
const ANSWER_WITHIN_MS = 45_000;

export async function listen(
  { broker, parts }: BrokerProcess,
  options: Partial<Pick<BrokerHttpParts, 'answerWithinMs' | 'isPrivate' | 'lives'>> = {},
): Promise<Door> {
  const http = openHttp({
    ...{ broker, parts, isPrivate: () => false, lives: { lifeOf: () => 'unknown' } },
    ...{ answerWithinMs: ANSWER_WITHIN_MS, ...options },
  });
  const app = await NestFactory.create<NestExpressApplication>(
    BrokerModule.forRoot(broker, http, {
      service: 'broker',
      environment: 'development',
      metrics: new Metrics('broker'),
      readiness: () => [],
    }),
    { logger: false, bodyParser: false },
  );
  app.useGlobalFilters(new ProblemFilter((fields, message) => parts.log.error(fields, message), problemOf));
  broker.requests.open();
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => app.close() };
}

export interface Answered {
  status: number;
  type: string | null;
  headers: Headers;
  text: string;
  json: Record<string, unknown>;
}

export async function answered(response: Response): Promise<Answered> {
  const text = await response.text();
  const type = response.headers.get('content-type');
  return {
    status: response.status,
    type,
    headers: response.headers,
    text,
    json: type?.includes('json') === true ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

/** The record as a request: `ce_*` headers become `ce-*`, and the rest is the same bytes. */
export function request({ headers, value }: BusRecord, change: Record<string, string> = {}): RequestInit {
  const sent = Object.entries(headers).map(([name, bytes]) => [
    name.replace(/^ce_/, 'ce-'),
    (bytes ?? '').toString(),
  ]);
  return {
    method: 'POST',
    headers: { ...(Object.fromEntries(sent) as Record<string, string>), ...change },
    body: new Uint8Array(value ?? Buffer.alloc(0)),
  };
}

export class Caller {
  constructor(private readonly door: Door) {}

  async post(path: string, record: BusRecord, change?: Record<string, string>): Promise<Answered> {
    return await answered(await fetch(`${this.door.url}${path}`, request(record, change)));
  }

  start = (record: BusRecord) => this.post('/v1/tasks', record);
  amend = (record: BusRecord) => this.post(`/v1/tasks/${subjectOf(record)}/amend`, record);
  end = (record: BusRecord) => this.post(`/v1/tasks/${subjectOf(record)}/end`, record);
  renew = (record: BusRecord, leaseId: string) => this.post(`/v1/leases/${leaseId}/renew`, record);
  call = (record: BusRecord) => this.post(`/v1/tasks/${subjectOf(record)}/calls`, record);
}

const subjectOf = ({ headers }: BusRecord) => (headers[HEADERS.subject] ?? '').toString();

type Opening = Parameters<typeof listen>[1];

/** One broker with its door, in a world of its own. */
export class HttpWorld {
  readonly #doors: Door[] = [];

  private constructor(
    readonly world: World,
    readonly broker: BrokerProcess,
  ) {}

  /** @param tokens the broker makes some */
  static async open(tokens?: Parameters<World['start']>[0]): Promise<HttpWorld> {
    const world = await World.open();
    return new HttpWorld(world, await world.start(tokens));
  }

  async door(process = this.broker, options?: Opening): Promise<Door> {
    const door = await listen(process, options);
    this.#doors.push(door);
    return door;
  }

  async caller(process = this.broker, options?: Opening): Promise<Caller> {
    return new Caller(await this.door(process, options));
  }

  /** As people ask of tasks. @param token none where it is null */
  async askOfTask(
    door: Door,
    method: 'GET' | 'POST',
    path: string,
    token: string | null,
    body?: unknown,
  ): Promise<Answered> {
    const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    return await answered(await fetch(`${door.url}/v1/tasks/${path}`, { method, headers, ...sent }));
  }

  /** A task that was accepted. */
  async startedTask(change = {}): Promise<string> {
    const taskId = uuidv7();
    await this.broker.hear(await this.world.voices.starts(taskId, change));
    await this.world.hears(taskId, 'task.accepted');
    return taskId;
  }

  async close(): Promise<void> {
    this.world.bus.release();
    this.world.target.answerAll();
    await Promise.all(this.#doors.map((door) => door.close()));
    await this.world.close();
  }
}
