/** A record's headers, from the list that it travels with to the map that its reader sees. */
export interface Header {
  key: string;
  value: Buffer | null;
}

type Value = Buffer | null | (Buffer | null)[];

/** Headers by name, in order of first appearance; one that was given more than once is an array. */
export function foldHeaders(headers: Iterable<Header>): Record<string, Value> {
  const byName = new Map<string, Value>();
  for (const { key, value } of headers) {
    const known = byName.get(key);
    if (known === undefined) byName.set(key, value);
    else if (Array.isArray(known)) known.push(value);
    else byName.set(key, [known, value]);
  }
  return Object.fromEntries(byName);
}
