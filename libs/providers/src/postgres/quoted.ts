/** Names of other people's making, for a script that somebody will read and run. */

/** Everything that does not show, or shows as something else: control and format characters, separators of lines, what is not assigned. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/** An identifier. */
export const quoted = (name: string): string => enclosed(name, '"');

/** A literal. */
export const quotedText = (text: string): string => enclosed(text, "'");

/**
 * On one line, and all of it to be seen: what does not show is written as its code point (`U&"…"`). Requires standard_conforming_strings, which is on
 * unless somebody turned it off.
 */
function enclosed(text: string, mark: string): string {
  const isSeen = !UNSEEN.test(text);
  const written = [...text].map((character) => {
    if (character === mark) return mark + mark;
    if (isSeen) return character;
    if (character === '\\') return '\\\\';
    return UNSEEN.test(character) ? codePoint(character) : character;
  });
  return `${isSeen ? '' : 'U&'}${mark}${written.join('')}${mark}`;
}

const codePoint = (character: string): string => {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return hex.length <= 4 ? `\\${hex.padStart(4, '0')}` : `\\+${hex.padStart(6, '0')}`;
};
