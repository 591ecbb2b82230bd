import { Problem } from '../servers/problem.mjs';
import { startSettings } from './settings.mjs';

it('has the documented defaults', () => {
  const { ports, withSample } = startSettings({});
  const wanted = Object.fromEntries(Object.entries(ports).map(([part, { wanted }]) => [part, wanted]));
  expect(wanted).toEqual({
    kafka: 7092,
    postgres: 7432,
    target: 7433,
    broker: 7070,
    revoker: 7071,
    auditor: 7072,
    signer: 7074,
  });
  expect(withSample).toBe(true);
});
it('leaves the sample out when asked to', () =>
  expect(startSettings({ MAYFLY_SAMPLE: '0' }).withSample).toBe(false));
it.each([{ MAYFLY_ENV: 'production' }, { MAYFLY_BUS: 'memory' }, { MAYFLY_KAFKA_PORT: 'x' }])(
  'refuses %p',
  (env) => expect(() => startSettings(env)).toThrow(Problem),
);
