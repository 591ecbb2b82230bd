/**
 * Loaded into each service by `npm run bench -- --profile`: samples its CPU from MAYFLY_PROFILE_AFTER_MS on for ten seconds, and
 * writes whose code it ran, by package or folder, into MAYFLY_PROFILE_DIR.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

const SAMPLE_MS = 10_000;
const service = /apps\/(\w+)\/src\/main\.js$/.exec(process.argv[1] ?? '')?.[1];

if (service !== undefined) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 500 });
  setTimeout(() => {
    session.post('Profiler.start');
    setTimeout(
      () => session.post('Profiler.stop', (_error, told) => told && write(told.profile)),
      SAMPLE_MS,
    ).unref();
  }, Number(process.env.MAYFLY_PROFILE_AFTER_MS)).unref();
}

function write({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const owners = new Map();
  const functions = new Map();
  let totalUs = 0;
  for (const [i, id] of samples.entries()) {
    const us = timeDeltas[i];
    totalUs += us;
    add(owners, ownerOf(byId, parents, id), us);
    add(functions, functionOf(byId.get(id)), us);
  }
  const busyUs = totalUs - (owners.get('(idle)') ?? 0);
  const share = (us, of) => `${((100 * us) / of).toFixed(1)}%`;
  const most = (usOf, count) =>
    [...usOf]
      .filter(([name]) => name !== '(idle)')
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, us]) => `${share(us, busyUs).padStart(6)} ${name}`);
  const lines = [
    `${service}: busy ${share(busyUs, totalUs)} of a core; of that:`,
    ...most(owners, 20),
    'by function, without what it calls:',
    ...most(functions, 30),
  ];
  writeFileSync(join(process.env.MAYFLY_PROFILE_DIR, `${service}.txt`), `${lines.join('\n')}\n`);
}

const add = (usOf, name, us) => usOf.set(name, (usOf.get(name) ?? 0) + us);

function functionOf({ callFrame: { functionName, url, lineNumber } }) {
  const file = url.replace(/^.*\/(node_modules|dist)\//, '').replace(/^file:.*\//, '');
  return `${functionName || '(anonymous)'} ${file}${file === '' ? '' : `:${lineNumber + 1}`}`;
}

/** The nearest frame that belongs to a package or to us pays for what it calls in Node. */
function ownerOf(byId, parents, id) {
  const { functionName } = byId.get(id).callFrame;
  if (functionName.startsWith('(')) return functionName;
  for (let at = id; at !== undefined; at = parents.get(at)) {
    const { url } = byId.get(at).callFrame;
    if (url.startsWith('wasm:') || url.includes('cedar')) return 'Cedar';
    if (url.includes('/node_modules/')) return url.split('/node_modules/').at(-1).split('/')[0];
    if (url.includes('/dist/')) return url.split('/dist/').at(-1).split('/').slice(0, 2).join('/');
  }
  return 'Node';
}
