/** One file of a policy folder, and where in it things are. Cedar speaks of byte offsets, people of lines and columns. */
export interface SourceText {
  /** Path as shown to the operator. */
  file: string;
  text: string;
}

/** 1-based line and column (in characters) of a byte offset into the UTF-8 of the text. */
export function positionAtByte(text: string, byte: number): { line: number; column: number } {
  return positionAt(new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byte)));
}

/** 1-based line and column of an index into the text. */
export const positionAtIndex = (text: string, index: number) => positionAt(text.slice(0, Math.max(0, index)));

function positionAt(before: string): { line: number; column: number } {
  const lines = before.split('\n');
  return { line: lines.length, column: [...(lines.at(-1) ?? '')].length + 1 };
}
