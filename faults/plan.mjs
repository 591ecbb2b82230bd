/**
 * Which process dies where: every point at every service that passes it, and a sequence of them that a seed repeats. What a
 * process does between two passages is not repeated: the same seed means the same plan, not the same interleaving.
 */
import { FAULT_POINTS } from '#telemetry/fault-point.js';

const ALL = ['broker', 'revoker', 'auditor'];
const OF = {
  batch: ALL,
  relay: ALL,
  create: ['broker'],
  outcome: ['broker'],
  end: ['revoker'],
  cut: ['revoker'],
  attempt: ['revoker'],
  clean: ['revoker'],
  append: ['auditor'],
};
/** How often a process surely passes in one round. The auditor sends checkpoints only, about one a second. */
const nthMax = (service, point) => (service === 'auditor' && point.startsWith('relay.') ? 1 : 4);

/** @returns {{ service: string, point: string }[]} the whole matrix, in the order of the points */
export function matrix(suite) {
  return FAULT_POINTS.flatMap((point) => servicesAt(point).map((service) => ({ service, point }))).filter(
    ({ service }) => suite === 'all' || service === suite,
  );
}

/** Every point once, at one of its services, three processes at a time: the short set. */
export function shortSet() {
  const queues = { broker: [], revoker: [], auditor: [] };
  // The points that few pass choose first.
  for (const point of FAULT_POINTS.toSorted((a, b) => servicesAt(a).length - servicesAt(b).length)) {
    const [service] = servicesAt(point).toSorted((a, b) => queues[a].length - queues[b].length);
    queues[service].push({ service, point, nth: 1 });
  }
  const rounds = Math.max(...Object.values(queues).map((queue) => queue.length));
  return Array.from({ length: rounds }, (_, index) =>
    Object.values(queues).flatMap((queue) => queue[index] ?? []),
  );
}

/** An endless sequence: the matrix shuffled, then shuffled again, each with a passage of its own. */
export function* shuffled(suite, seed) {
  const random = randomFrom(seed);
  const below = (n) => Math.floor(random() * n);
  for (;;) {
    const rest = matrix(suite);
    while (rest.length > 0) {
      const [{ service, point }] = rest.splice(below(rest.length), 1);
      yield { service, point, nth: 1 + below(nthMax(service, point)) };
    }
  }
}

function servicesAt(point) {
  const services = OF[point.split('.')[0]];
  if (services === undefined) throw new Error(`nobody is known to pass ${point}`);
  return services;
}

/** mulberry32. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
