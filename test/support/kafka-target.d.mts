/** A Kafka of its own with an authorizer and SCRAM logins, for specs of the target `kafka`. Nothing stays behind. */
export interface KafkaTarget {
  /** `host:port` of the listener with SASL. */
  address: string;
  /** The same with TLS, and the certificate to trust, as PEM text. */
  tls: { address: string; ca: string };
  /** The same for who stands between: where it passes on to, and where clients are told to find it. */
  wired: { host: string; port: number; listenOn: number };
  /** Where the administrator needs no login: `User:ANONYMOUS` is a super user there, and nowhere else. */
  anonymous: { host: string; port: number };
  /** Ends it as a death would, and starts it again with what it had written. */
  restart(): Promise<void>;
  /** A copy of its data as it is now, while it runs; resolves to what starts it again with that copy. */
  backUp(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export function startKafkaTarget(): Promise<KafkaTarget>;
