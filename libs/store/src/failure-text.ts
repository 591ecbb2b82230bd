/** What an operator may be told of a failure: never its message, which may quote the record. */

const CODE = /^[A-Z0-9_]{1,60}$/;
const PLACE = /(?:apps|libs)\/[\w/.-]+:\d+/;

/** @returns the error's code, else its name; and its name with the place in our code where it was thrown. */
export function failureText(error: unknown): { code: string; detail: string } {
  if (!(error instanceof Error))
    return { code: 'ERR_UNKNOWN', detail: 'something else than an error was thrown' };
  const { code } = error as { code?: unknown };
  const place = PLACE.exec(error.stack ?? '')?.[0];
  return {
    code: typeof code === 'string' && CODE.test(code) ? code : error.name,
    detail: place === undefined ? error.name : `${error.name} at ${place}`,
  };
}
