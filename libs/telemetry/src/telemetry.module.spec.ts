import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Metrics } from './metrics.js';
import { TelemetryModule } from './telemetry.module.js';
import type { TelemetryOptions } from './telemetry-options.js';

describe('the endpoints of a service', () => {
  let app: INestApplication<Server> | undefined;

  async function serve(options: Partial<TelemetryOptions> = {}) {
    const module = TelemetryModule.forRoot({
      service: 'broker',
      environment: 'production',
      metrics: new Metrics('broker'),
      readiness: () => [],
      ...options,
    });
    app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication({
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  }

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  it('say that the process lives', async () => {
    const get = await serve({ readiness: () => ['no partitions yet'] });

    const answer = await get('/health/live');

    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'live', service: 'broker' });
  });

  it('say that the service is ready', async () => {
    const answer = await (await serve())('/health/ready');

    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({ status: 'ready', service: 'broker', environment: 'production' });
  });

  it('say in both cases where it is a development set-up', async () => {
    const ready = await serve({ environment: 'development' });
    expect(await (await ready('/health/ready')).json()).toMatchObject({ environment: 'development' });
    await app?.close();

    const waiting = await serve({ environment: 'development', readiness: () => ['no partitions yet'] });
    expect(await (await waiting('/health/ready')).json()).toMatchObject({ environment: 'development' });
  });

  it('say what is amiss beside that the service is ready', async () => {
    const answer = await (await serve({ remarks: () => ['target shop is not fit'] }))('/health/ready');

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: 'ready', remarks: ['target shop is not fit'] });
  });

  it('answer 503 with reasons while it is not', async () => {
    const answer = await (await serve({ readiness: () => ['no partitions yet'] }))('/health/ready');

    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      status: 'not_ready',
      service: 'broker',
      environment: 'production',
      reasons: ['no partitions yet'],
    });
  });

  it('answer 503 when the check itself fails, without telling its message', async () => {
    const answer = await (
      await serve({ readiness: () => Promise.reject(new Error('at host db1')) })
    )('/health/ready');

    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain('db1');
  });

  it('show the metrics in the text format of Prometheus', async () => {
    const metrics = new Metrics('broker');
    metrics.counter({ name: 'calls_total', help: 'Calls.' }).inc();

    const answer = await (await serve({ metrics }))('/metrics');

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await answer.text()).toContain('mayfly_calls_total{service="broker"} 1');
  });

  it('show the public keys as a JWK Set', async () => {
    const jwks = { keys: [{ kty: 'EC', crv: 'P-256', kid: 'k1' }] };

    const answer = await (await serve({ jwks }))('/.well-known/jwks.json');

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/jwk-set\+json/);
    expect(await answer.json()).toEqual(jwks);
  });

  it('show the keys of this moment, where they change', async () => {
    const keys = [{ kid: 'k1' }];
    const ask = await serve({ jwks: () => ({ keys }) });
    await ask('/.well-known/jwks.json');
    keys.push({ kid: 'k2' });

    const answer = await ask('/.well-known/jwks.json');

    expect(await answer.json()).toEqual({ keys: [{ kid: 'k1' }, { kid: 'k2' }] });
    expect(answer.headers.get('cache-control')).toBe('public, max-age=30');
  });

  it('show no keys where a service has none', async () => {
    expect((await (await serve())('/.well-known/jwks.json')).status).toBe(404);
  });
});
