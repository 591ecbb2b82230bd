/** A promise with its ends outside. */
export function deferred() {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  // Nobody has to wait for it: a failure is told through `onCrash` as well.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
