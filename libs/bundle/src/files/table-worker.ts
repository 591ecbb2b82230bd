/** The second thread of a verification: it opens the bundle for itself, and looks at the table alone. */
import { parentPort, workerData } from 'node:worker_threads';
import { readManifest } from '../manifest.js';
import { verifyTable } from '../verify-table.js';
import { openBundle } from './open-bundle.js';

const files = openBundle(workerData as string);
try {
  parentPort?.postMessage(verifyTable(files, readManifest(files)));
} finally {
  files.close();
}
