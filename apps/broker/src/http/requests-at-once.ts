/** How many requests are answered at once, in all and of one sender. The rest is told so, and nothing of it is kept. */
import { AtOnce } from './at-once.js';
import { TransportError } from './problems.js';

/** Below what the server takes of connections, so that health is answered beside them. */
const IN_ALL = 200;
const OF_ONE_SENDER = 64;

export class RequestsAtOnce {
  readonly #all = new AtOnce(IN_ALL);
  readonly #senders = new AtOnce(OF_ONE_SENDER);

  /** @throws TransportError ERR_BUSY */
  async answering<T>(work: () => Promise<T>): Promise<T> {
    const leave = this.#all.enter('');
    if (leave === undefined) throw new TransportError('ERR_BUSY', 'too many requests are being answered');
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** @param sender who was authenticated. @throws TransportError ERR_RATE_LIMITED */
  async ofSender<T>(sender: string, work: () => Promise<T>): Promise<T> {
    const leave = this.#senders.enter(sender);
    if (leave === undefined)
      throw new TransportError('ERR_RATE_LIMITED', 'too many requests of this sender are being answered');
    try {
      return await work();
    } finally {
      leave();
    }
  }
}
