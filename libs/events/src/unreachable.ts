/** Ends a switch on a closed union: a new member that is not handled does not compile, and an untyped one throws. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
