/** Lets other services of a machine have the processor, and takes it back. Where there is no way to do so, nothing changes. */
import { ownSession, type SessionNiceness } from './session-niceness.js';

/** A tenth of an equal share, where the others leave nothing. */
const NICE = 10;
/** The kernel takes ten changes a second. */
const AGAIN_MS = 200;

export class GivingWay {
  /** What the niceness was before; undefined while we are the equal of the others. */
  #before: number | undefined;
  #again: NodeJS.Timeout | undefined;

  /** @param session null where there is none of our own */
  constructor(private readonly session: SessionNiceness | null = ownSession()) {}

  /** Where it may not, others have less time and nothing else is lost: the next call tries again. */
  give(): void {
    if (this.session === null || this.#before !== undefined) return;
    try {
      const before = this.session.read();
      if (before >= NICE) return;
      this.session.write(NICE);
      this.#before = before;
    } catch {
      // As is said above.
    }
  }

  /** Comes to pass in the end, or we would be slow for good. */
  takeBack(): void {
    clearTimeout(this.#again);
    if (this.session === null || this.#before === undefined) return;
    try {
      this.session.write(this.#before);
      this.#before = undefined;
    } catch {
      this.#again = setTimeout(() => this.takeBack(), AGAIN_MS).unref();
    }
  }
}
