/**
 * Loaded into the auditor by `audit-ingest`: how long its transactions take that append, when they were committed, and how much of its heap
 * is in use after a full collection. Tells it on the socket MAYFLY_WATCH, and starts anew.
 */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pg from 'pg';

const APPENDS = /INSERT INTO entry\b/;

if (/apps\/auditor\/src\/main\.js$/.test(process.argv[1] ?? '')) {
  if (process.env.MAYFLY_PROFILE_DIR !== undefined) await import('./profiler.mjs');
  watch(process.env.MAYFLY_WATCH);
}

function watch(path) {
  let seen = [];
  watchCommits((commit) => seen.push(commit));
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  rmSync(path, { force: true });
  createServer((socket) => {
    collect();
    const told = JSON.stringify({ commits: seen, heapMiB: process.memoryUsage().heapUsed / 2 ** 20 });
    seen = [];
    socket.end(told);
  })
    .listen(path)
    .unref();
}

function watchCommits(tell) {
  const { prototype } = pg.Client;
  const query = prototype.query;
  prototype.query = function (...args) {
    const text = typeof args[0] === 'string' ? args[0] : (args[0]?.text ?? '');
    if (text === 'BEGIN') {
      this.begunMs = performance.now();
      this.appends = false;
    } else if (APPENDS.test(text)) this.appends = true;
    const answer = query.apply(this, args);
    if (text === 'COMMIT' && this.appends) {
      const { begunMs } = this;
      answer.then(
        () => tell({ tookMs: performance.now() - begunMs, atMs: Date.now() }),
        () => {},
      );
    }
    return answer;
  };
}
