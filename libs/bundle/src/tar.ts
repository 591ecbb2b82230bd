/**
 * A bundle as one file: a tar archive (POSIX ustar) of plain files, read strictly. Nothing is ever unpacked: names are those of a
 * bundle or the archive is refused, so that no path in it leads anywhere.
 */
import { isFileName, type FileName } from './bundle-files.js';
import { BundleError } from './errors.js';

export const BLOCK_BYTES = 512;
/** Eleven octal digits. */
export const MAX_FILE_BYTES = 8 ** 11 - 1;
export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK_BYTES);

export const padded = (bytes: number): number => Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;

/** Requires 0 <= size <= MAX_FILE_BYTES. */
export function tarHeader(name: FileName, size: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name, 0, 'latin1');
  // The same archive for the same bundle: no owner, no time.
  header.write('0000600\0' + '0000000\0' + '0000000\0', 100, 'latin1');
  header.write(`${octal(size, 11)}\0${octal(0, 11)}\0`, 124, 'latin1');
  header.write('        0', 148, 'latin1');
  header.write('ustar\0' + '00', 257, 'latin1');
  header.write(`${octal(sumOf(header), 6)}\0 `, 148, 'latin1');
  return header;
}

/** @returns undefined for the end of the archive. @throws BundleError ERR_BUNDLE_ARCHIVE, ERR_BUNDLE_FILE_UNKNOWN */
export function readTarHeader(header: Buffer): { name: FileName; size: number } | undefined {
  if (header.every((byte) => byte === 0)) return undefined;
  const text = (from: number, to: number) =>
    header.subarray(from, to).toString('latin1').split('\0', 1)[0] ?? '';
  const number = (from: number, to: number): number => {
    const digits = /^ *([0-7]{1,11}) *$/.exec(text(from, to))?.[1];
    if (digits === undefined) throw new BundleError('ERR_BUNDLE_ARCHIVE', 'archive');
    return Number.parseInt(digits, 8);
  };
  const sum = Buffer.from(header).fill(' ', 148, 156);
  if (text(257, 262) !== 'ustar' || number(148, 156) !== sumOf(sum))
    throw new BundleError('ERR_BUNDLE_ARCHIVE', 'archive');
  const [name, prefix, type] = [text(0, 100), text(345, 500), header.toString('latin1', 156, 157)];
  if (!isFileName(name) || (prefix !== '' && isPosix(header)))
    throw new BundleError('ERR_BUNDLE_FILE_UNKNOWN', 'archive');
  if (type !== '0' && type !== '\0') throw new BundleError('ERR_BUNDLE_ARCHIVE', name);
  return { name, size: number(124, 136) };
}

/** GNU's form has other things where this one has a prefix of the name. */
const isPosix = (header: Buffer): boolean => header.toString('latin1', 257, 263) === 'ustar\0';

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
const sumOf = (header: Buffer): number => header.reduce((sum, byte) => sum + byte, 0);
