import { BundleError } from '../errors.js';
import type { Checkpoint } from '../merkle.js';
import type { Trust } from '../trust.js';
import { refused, verifyBundle, type BundleReport } from '../verify-bundle.js';
import { openBundle, type OpenBundle } from './open-bundle.js';

/** Verifies the archive or folder at a path. @throws what the file system says of it; nothing for what is in it */
export function verifyBundleAt(path: string, trust: Trust, since?: Checkpoint): BundleReport {
  let files: OpenBundle;
  try {
    files = openBundle(path);
  } catch (error) {
    if (error instanceof BundleError) return refused(error);
    throw error;
  }
  try {
    return verifyBundle(files, trust, since);
  } finally {
    files.close();
  }
}
