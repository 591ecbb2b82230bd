import { javaFinding, mavenFinding, nodeFinding } from './tools.js';

describe('doctor, programs', () => {
  it.each([
    ['20.18.3', 'fail'],
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
    ['18.20.4', 'fail'],
  ])('judges Node %s: %s', (version, status) => {
    expect(nodeFinding(version).status).toBe(status);
  });

  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 'ok'],
    ['openjdk version "21" 2023-09-19', 'ok'],
    ['java version "1.8.0_402"', 'warn'],
    [undefined, 'warn'],
    ['something else', 'warn'],
  ])('judges Java %p: %s', (line, status) => {
    expect(javaFinding(line).status).toBe(status);
  });

  it('says how to go on without Maven', () => {
    expect(mavenFinding(undefined)).toMatchObject({
      status: 'warn',
      fix: expect.stringContaining('KAFKA_BROKERS') as string,
    });
    expect(mavenFinding('Apache Maven 3.8.7').status).toBe('ok');
  });
});
