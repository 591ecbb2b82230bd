/** kafkajs' log lines through ours. Its level ERROR is our `warn`: it goes on, and what ends it arrives as a crash. */
import type { LogEntry } from 'kafkajs';
import type { Log } from '#telemetry/log.js';
import { kafkajs } from './client.js';

export function clientLog(log: Log): (entry: LogEntry) => void {
  const { ERROR, WARN } = kafkajs.logLevel;
  return ({ namespace, level, log: { message, timestamp: _timestamp, logger: _logger, ...fields } }) => {
    const line = { ...fields, namespace, text: message };
    if (level === ERROR || (level === WARN && !EXPECTED.test(message))) log.warn(line, 'kafka client');
    else log.debug(line, 'kafka client');
  };
}

/** We replace a producer that has failed, which is what the client's advice to retry for ever is about. */
const EXPECTED = /^Limiting retries for the idempotent producer/;
