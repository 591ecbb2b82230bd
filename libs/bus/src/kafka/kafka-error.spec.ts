import { BusError } from '../bus.js';
import { publishError, unreachable } from './kafka-error.js';

const kafkaError = (type: string) => Object.assign(new Error('from Kafka'), { type });

describe('an error of Kafka', () => {
  it.each(['MESSAGE_TOO_LARGE', 'TOPIC_AUTHORIZATION_FAILED', 'UNKNOWN_TOPIC_OR_PARTITION'])(
    'that stays the same refuses the record: %s',
    (type) => {
      const cause = new Error('retries exceeded', { cause: kafkaError(type) });

      expect(publishError(cause, ['t'])).toMatchObject({
        code: 'ERR_RECORD_REFUSED',
        cause,
        fields: { topics: 't', type },
      });
    },
  );

  it.each(['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS', 'OUT_OF_ORDER_SEQUENCE_NUMBER'])(
    'that may pass says that nothing was acknowledged: %s',
    (type) => {
      expect(publishError(kafkaError(type), ['t'])).toMatchObject({
        code: 'ERR_BUS_UNREACHABLE',
        fields: { type },
      });
    },
  );

  it('without a name says the same', () => {
    expect(publishError(new Error('no connection'), ['t', 'u'])).toMatchObject({
      code: 'ERR_BUS_UNREACHABLE',
      message: 'the bus has not acknowledged the records',
      fields: { topics: 't,u' },
    });
  });

  it('that is the bus own already stays as it is', () => {
    const error = new BusError('ERR_TOPIC_MISCONFIGURED', 'a topic is not as it must be');

    expect(unreachable(error, 'topics')).toBe(error);
  });
});
