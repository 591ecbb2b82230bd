/**
 * The brokers of one target. What changes something is said to any one of them, which hands it to the controller; what is looked at is
 * asked of every one, because each judges by what it has read of the controller's log so far. Each use has connections of its own, so
 * that nothing on the kill path waits behind creating or cleaning.
 */
import { describeClusterV1, describeQuorumV2 } from '@platformatic/kafka';
import { ProviderError } from '../provider.js';
import { asProviderError, demand, NONE } from './errors.js';
import { Line, type Request } from './line.js';
import { addressOf, type Address, type KafkaSettings } from './settings.js';

export type Use = 'create' | 'cut' | 'tidy';

/** What every broker that answered said. */
export interface View<T> {
  answers: T[];
  /** How many brokers there are, whether they answered or not. */
  expected: number;
  /** Of the metadata that all of it comes from: the cluster's id, and the epoch of the controllers' leader. */
  incarnation: string;
}

export class Cluster {
  readonly #lines = new Map<string, Line>();
  readonly #bootstrap: readonly Address[];
  /** As far as they are known, in the order in which they are tried. */
  #known: readonly Address[];

  constructor(private readonly settings: KafkaSettings) {
    this.#bootstrap = settings.connection.brokers.map(addressOf);
    this.#known = this.#bootstrap;
  }

  /** Asks any one, once: another is tried only where nothing could be sent. @throws ProviderError */
  async any<T>(use: Use, request: Request<T>): Promise<T> {
    return (await this.#openLine(use)).ask(request);
  }

  /** A connection that stands. @throws ProviderError */
  async #openLine(use: Use): Promise<Line> {
    let failure: unknown;
    for (const address of [...this.#known, ...this.#bootstrap]) {
      const line = this.#line(use, address);
      try {
        await line.open();
        return line;
      } catch (error) {
        failure ??= error;
      }
    }
    throw asProviderError(failure);
  }

  /** Asks every broker. @throws ProviderError where nobody can say which there are */
  async everywhere<T>(use: Use, ask: (line: Line) => Promise<T>): Promise<View<T>> {
    const line = await this.#openLine(use);
    const [cluster, quorum] = await Promise.all([
      line.ask((connection) => describeClusterV1.api.async(connection, false, OF_BROKERS)),
      line.ask((connection) => describeQuorumV2.api.async(connection, METADATA_LOG)),
    ]);
    demand(cluster.errorCode);
    const brokers = cluster.brokers.map(({ host, port }): Address => ({ host, port }));
    // Of nobody nothing could be said, and nothing would look like access that is gone.
    if (brokers.length === 0) throw new ProviderError('ERR_TARGET_UNREACHABLE', 'target names no broker');
    this.#known = brokers;
    const told = await Promise.allSettled(brokers.map((address) => ask(this.#line(use, address))));
    const answers = told.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const refused = told.find((each) => each.status === 'rejected');
    if (answers.length === 0 && refused !== undefined) throw asProviderError(refused.reason);
    const epoch = quorum.errorCode === NONE ? quorum.topics[0]?.partitions[0]?.leaderEpoch : undefined;
    return {
      answers,
      expected: brokers.length,
      incarnation: epoch === undefined ? cluster.clusterId : `${cluster.clusterId}/${epoch}`,
    };
  }

  close(): void {
    for (const line of this.#lines.values()) line.close();
  }

  #line(use: Use, address: Address): Line {
    const key = `${use} ${address.host}:${address.port}`;
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const line = new Line(address, this.settings);
    this.#lines.set(key, line);
    return line;
  }
}

/** Endpoint type of the request. */
const OF_BROKERS = 1;
const METADATA_LOG = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];
