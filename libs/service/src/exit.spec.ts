import { parseArgs } from 'node:util';
import { BusError } from '#bus/bus.js';
import { ConfigError } from '#config/config-error.js';
import { IdentityError } from '#identity/errors.js';
import { PolicyError } from '#policy/policy-error.js';
import { FaultPointError } from '#telemetry/fault-point.js';
import { operatorsErrors } from './exit.js';

class KeyFileError extends Error {}

const isOperators = operatorsErrors([KeyFileError]);
const thrownBy = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

it.each([
  ['a configuration', new ConfigError('unknown key', { code: 'ERR_CONFIG_UNKNOWN_KEY', file: 'm.yaml' })],
  ['a policy', new PolicyError([{ code: 'ERR_POLICY_MISSING', file: 'policy', message: 'no policy' }])],
  ['a key', new IdentityError('ERR_IDENTITY_KEY_INVALID', 'no key', {})],
  ['a PEM file that is missing', new BusError('ERR_BUS_TLS_FILE', 'cannot be read')],
  ['a topic that was made by somebody else', new BusError('ERR_TOPIC_MISCONFIGURED', 'partitions differ')],
  ['a fault point', new FaultPointError('ERR_FAULT_POINTS_UNSAFE', 'development only')],
  ['an option', thrownBy(() => parseArgs({ args: ['--confg'], options: {} }))],
  ['what one service asks for', new KeyFileError()],
])('%s is for an operator: starting again is no help', (_what, error) => {
  expect(isOperators(error)).toBe(true);
});

it.each([
  ['a bus that is away', new BusError('ERR_BUS_UNREACHABLE', 'no answer')],
  ['a consumer that died', new BusError('ERR_BUS_CRASHED', 'crashed')],
  ['an issuer that does not answer', new IdentityError('ERR_IDENTITY_FETCH_FAILED', 'no answer', {})],
  ['a fault of ours', new TypeError('x is not a function')],
  ['a thing that is no error', 'thrown text'],
])('%s is gone, perhaps, after another start', (_what, error) => {
  expect(isOperators(error)).toBe(false);
});
