/**
 * A signal that is aborted when one of these is. `AbortSignal.any` holds what it follows weakly: a timeout that nobody else holds may be
 * collected and then never comes (nodejs/node#57736), and what was to end after 300 ms waits for ever.
 */
export function anySignal(...signals: readonly AbortSignal[]): AbortSignal {
  // eslint-disable-next-line no-restricted-properties -- here it follows nothing that could be lost.
  const any = AbortSignal.any([...signals]);
  followed.set(any, signals);
  return any;
}

/** Holds them as long as who listens to them. */
const followed = new WeakMap<AbortSignal, readonly AbortSignal[]>();
