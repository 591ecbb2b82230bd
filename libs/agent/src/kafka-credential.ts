/** A Kafka user in use: what clients of Kafka want to know, and nothing that shows the password when it is printed. */
import type { OpenedKafka } from './open-envelope.js';
import type { Renew, RenewOptions } from './renewal.js';

/** For `new Kafka({ clientId, ...connection })` of kafkajs; other clients want the same by other names. */
export interface KafkaConnection {
  brokers: string[];
  ssl: false | { rejectUnauthorized: true; ca?: string[] };
  sasl: KafkaLogin;
}

export type KafkaLogin = ({ mechanism: 'scram-sha-256' } | { mechanism: 'scram-sha-512' }) & {
  username: string;
  /** Not enumerable: printed and written as JSON, there is nothing to see. */
  readonly password: string;
};

export interface KafkaCredential {
  readonly kind: 'kafka';
  readonly leaseId: string;
  /** RFC 3339. A later one after a renewal. */
  readonly notAfter: string;
  readonly connection: KafkaConnection;
  /** Lets it live longer; user and password stay. @returns the new end. @throws as `Task.credential` does */
  renew(options?: RenewOptions): Promise<string>;
}

/** @param ask gives the new end */
export function kafkaCredential(
  { leaseId, notAfter, connection }: OpenedKafka,
  ask: Renew<string>,
): KafkaCredential {
  let endsAt = notAfter;
  const { brokers, mechanism, username, password, tls } = connection;
  const sasl = Object.defineProperty({ mechanism, username }, 'password', {
    get: () => password.reveal(),
  }) as KafkaLogin;
  const ssl =
    tls.mode === 'disable'
      ? (false as const)
      : { rejectUnauthorized: true as const, ...(tls.ca === undefined ? {} : { ca: [tls.ca] }) };
  return {
    kind: 'kafka',
    leaseId,
    get notAfter() {
      return endsAt;
    },
    renew: async (options = {}) => (endsAt = await ask(options)),
    connection: { brokers, ssl, sasl },
  };
}
