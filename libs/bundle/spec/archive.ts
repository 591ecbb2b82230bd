import type { FileName } from '../src/bundle-files.js';
import { END_OF_ARCHIVE, padded, tarHeader } from '../src/tar.js';

/** A bundle as one file. */
export const archiveOf = (parts: Iterable<readonly [FileName, Buffer]>): Buffer =>
  Buffer.concat([
    ...[...parts].flatMap(([name, bytes]) => [
      tarHeader(name, bytes.length),
      bytes,
      Buffer.alloc(padded(bytes.length) - bytes.length),
    ]),
    END_OF_ARCHIVE,
  ]);
