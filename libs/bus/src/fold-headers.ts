/** A record's headers, from the list that it travels with to the map that its reader sees. */
export interface Header {
  key: string;
  value: Buffer | null;
}

type Value = Buffer | null | (Buffer | null)[];

/** Headers by name, in order of first appearance; one that was given more than once is an array. */
export function foldHeaders(headers: Iterable<Header>): Record<string, Value> {
  const byName: Record<string, Value> = {};
  for (const { key, value } of headers) {
    const known = Object.hasOwn(byName, key) ? byName[key] : undefined;
    if (Array.isArray(known)) known.push(value);
    else if (known !== undefined) put(byName, key, [known, value]);
    else put(byName, key, value);
  }
  return byName;
}

/** By assignment, an object would be given another prototype under one name. */
function put(byName: Record<string, Value>, key: string, value: Value): void {
  if (key === '__proto__')
    Object.defineProperty(byName, key, { value, writable: true, enumerable: true, configurable: true });
  else byName[key] = value;
}
