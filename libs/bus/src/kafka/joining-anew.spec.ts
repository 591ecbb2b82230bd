import { createRequire } from 'node:module';
import { JoiningAnew } from './joining-anew.js';

type Made = new (message: string | Error, options?: object) => Error;
const errors = createRequire(import.meta.url)('kafkajs/src/errors.js') as Record<string, Made>;

function made(name: string, message: string | Error = 'as it is', options: object = {}): Error {
  const Kind = errors[name];
  if (Kind === undefined) throw new Error(`kafkajs has no ${name}`);
  return new Kind(message, options);
}

describe('a consumer that has ended', () => {
  it.each([
    'KafkaJSNoBrokerAvailableError',
    'KafkaJSConnectionError',
    'KafkaJSConnectionClosedError',
    'KafkaJSGroupCoordinatorNotFound',
  ])('for %s joins anew', (name) => {
    expect(new JoiningAnew().pauseMs(made(name))).toBe(100);
  });

  it('because no coordinator was found while it was retried joins anew', () => {
    const cause = made('KafkaJSGroupCoordinatorNotFound');

    expect(new JoiningAnew().pauseMs(made('KafkaJSNonRetriableError', cause, { cause }))).toBe(100);
  });

  it.each(['KafkaJSNonRetriableError', 'KafkaJSSASLAuthenticationError'])('for %s has ended', (name) => {
    expect(new JoiningAnew().pauseMs(made(name))).toBeUndefined();
  });

  it('for connections that were retried long enough has ended', () => {
    const cause = made('KafkaJSConnectionError');

    expect(new JoiningAnew().pauseMs(made('KafkaJSNumberOfRetriesExceeded', cause))).toBeUndefined();
  });

  it('for an error of ours has ended', () => {
    expect(new JoiningAnew().pauseMs(new Error('a handler failed'))).toBeUndefined();
  });

  it('for the eleventh time in a row has ended, after 14 s', () => {
    const lost = made('KafkaJSConnectionClosedError');
    const joining = new JoiningAnew();

    const pauses = Array.from({ length: 11 }, () => joining.pauseMs(lost));

    expect(pauses).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000, 2_000, undefined]);
  });

  it('counts from the time it last joined', () => {
    const lost = made('KafkaJSConnectionClosedError');
    const joining = new JoiningAnew();

    const pauses = Array.from({ length: 20 }, () => {
      joining.joined();
      return joining.pauseMs(lost);
    });

    expect(new Set(pauses)).toEqual(new Set([100]));
  });
});
