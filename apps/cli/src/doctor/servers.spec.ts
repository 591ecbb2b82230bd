import { separateClusters, serverFindings } from './servers.js';
import type { ServerSeen } from './servers.js';

const seen: ServerSeen = { systemIdentifier: '7400000000000000001', version: '18.4', skewMs: 0, withinMs: 2 };

describe('doctor, servers', () => {
  it.each([
    [0, 'ok'],
    [-900, 'ok'],
    [1_100, 'warn'],
    [2_002, 'warn'],
    [2_003, 'fail'],
    [-2_500, 'fail'],
  ])('judges a clock that is %d ms off, where 2000 are allowed for: %s', (skewMs, status) => {
    const [server, clock] = serverFindings('target', { ...seen, skewMs }, 2_000);
    expect(server).toMatchObject({ status: 'ok', seen: 'PostgreSQL 18.4' });
    expect(clock?.status).toBe(status);
  });

  it('fails when the database and the target are one cluster', () => {
    expect(separateClusters(seen, seen).status).toBe('fail');
    expect(separateClusters(seen, { ...seen, systemIdentifier: '7400000000000000002' }).status).toBe('ok');
  });
});
