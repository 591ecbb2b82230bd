import { AgentError } from '#agent/agent-error.js';
import { Refused } from '#agent/refused.js';
import { BusError } from '#bus/bus.js';
import { ConfigError } from '#config/config-error.js';
import { IdentityError } from '#identity/errors.js';
import { CliError, failureOf } from './failure.js';

describe('failure', () => {
  it('ends with 1 and the code when Mayfly refuses', () => {
    expect(failureOf(new Refused('ERR_DATASET_FORBIDDEN', ['no salaries', 'ask HR']))).toEqual({
      exitStatus: 1,
      code: 'ERR_DATASET_FORBIDDEN',
      line: 'refused ERR_DATASET_FORBIDDEN: no salaries; ask HR',
      reasons: ['no salaries', 'ask HR'],
    });
  });

  it.each([
    [new CliError('ERR_CLI_NOT_RUNNING', 'Mayfly is not running: npm start'), 2],
    [new CliError('ERR_CLI_TIMEOUT', 'no verdict within 5 ms'), 1],
    [new BusError('ERR_BUS_UNREACHABLE', 'no broker answers'), 2],
    [
      new ConfigError('unknown key', {
        code: 'ERR_CONFIG_UNKNOWN_KEY',
        file: 'mayfly.yaml',
        line: 3,
        key: 'x',
      }),
      2,
    ],
    [new AgentError('ERR_KEY_FILE_INVALID', 'not a private JWK', { path: 'key.jwk' }), 2],
    [new AgentError('ERR_ANSWER_TIMEOUT', 'no answer came in time', { timeoutMs: 5 }), 1],
    [new IdentityError('ERR_IDENTITY_DEVELOPMENT_ONLY', 'development keys need MAYFLY_ENV=development'), 2],
  ])('says %s in one line', (error, exitStatus) => {
    const failure = failureOf(error);
    expect(failure).toMatchObject({ exitStatus, code: error.code });
    expect(failure?.line).not.toContain('\n');
  });

  it('says what varies beside what is constant', () => {
    expect(
      failureOf(new AgentError('ERR_KEY_FILE_INVALID', 'not a private JWK', { path: 'key.jwk' }))?.line,
    ).toBe('not a private JWK path=key.jwk');
  });

  it('leaves what nobody foresaw to its stack', () => {
    expect(failureOf(new TypeError('x is not a function'))).toBeUndefined();
  });
});
