/** Only the engine can say: thrown wherever compiled policies meet what they do not know to the letter. It is no failure. */
export const ASK_ENGINE = new Error('only the engine can say');

export function askEngine(): never {
  throw ASK_ENGINE;
}
