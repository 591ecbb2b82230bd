/** A Kafka of its own with an authorizer and SCRAM logins, for specs of the target `kafka`. Nothing is durable, and nothing stays behind. */
export interface KafkaTarget {
  /** `host:port` of the listener with SASL. */
  address: string;
  /** The same through the proxy. */
  proxied: string;
  proxy: {
    /** How long each piece takes, in each direction. */
    delay(ms: number): void;
    /** Ends what is open, and lets nobody in until told otherwise. */
    refuse(refuses: boolean): Promise<void>;
    /** Waits for the nth piece from a client from now on that holds this text. Resolves when it has sprung. */
    trap(trap: {
      text: string;
      nth: number;
      how: 'request_cut' | 'answer_cut' | 'answer_swallowed';
    }): Promise<void>;
    disarm(): void;
    /** Ends every connection where it is. */
    cut(): void;
  };
  /** Where the administrator needs no login: `User:ANONYMOUS` is a super user there, and nowhere else. */
  anonymous: { host: string; port: number };
  /** Ends it as a death would, and starts it again with what it had written. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** @param options.reauthMs `connections.max.reauth.ms`; 0 (never) unless told */
export function startKafkaTarget(options?: { reauthMs?: number }): Promise<KafkaTarget>;
