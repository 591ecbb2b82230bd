/** What the revoker published, read in the background from when it can be. Until then nobody knows whether a token lives. */
import { repeat } from '#store/repeat.js';
import type { Life, LifeSource, VerifiedToken } from '#verifier/life.js';
import { RevocationFeed, type FeedSettings } from '#verifier/revocation-feed.js';

const TRY_AGAIN_MS = 1_000;

export class ToldLives implements LifeSource {
  #feed: RevocationFeed | undefined;
  #opening: { stop: () => Promise<void> } | undefined;

  /** A bus that is away is waited for; nobody else waits for it. */
  begin(settings: FeedSettings): void {
    this.#opening = repeat(
      TRY_AGAIN_MS,
      async () => {
        this.#feed ??= await RevocationFeed.open(settings);
      },
      (error) => settings.onTrouble?.(error),
    );
  }

  lifeOf(token: VerifiedToken, nowMs: number): Life {
    return this.#feed?.lifeOf(token, nowMs) ?? 'unknown';
  }

  async close(): Promise<void> {
    await this.#opening?.stop();
    await this.#feed?.close();
  }
}
