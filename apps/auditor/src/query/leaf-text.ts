/**
 * A member of a leaf as it stands in the leaf's bytes. Leaves are JCS (RFC 8785), so a text is written in one way only, without a space: whoever
 * looks for it in the bytes need not open the leaf, which takes ten times as long. Pure.
 */

/** @returns undefined where the value may stand there as something else than a text: as a number, say */
export function memberText(member: string, value: string): string | undefined {
  return isJson(value) ? undefined : `${JSON.stringify(member)}:${JSON.stringify(value)}`;
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
