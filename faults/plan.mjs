/**
 * What goes wrong in which round, and a sequence of rounds that a seed repeats. What processes do between two moments is not
 * repeated: the same seed means the same plan, not the same interleaving. Pure.
 */
import { FAULT_POINTS } from '#telemetry/fault-point.js';

export const SERVICES = ['broker', 'revoker', 'auditor'];
const OF = {
  batch: SERVICES,
  relay: SERVICES,
  create: ['broker'],
  outcome: ['broker'],
  renew: ['broker'],
  renewal: ['broker'],
  end: ['revoker'],
  cut: ['revoker'],
  attempt: ['revoker'],
  clean: ['revoker'],
  append: ['auditor'],
};
/**
 * How often a process surely passes in one round. The auditor takes much at once, and sends checkpoints only, about one a
 * second.
 */
function nthMax(service, point) {
  if (service !== 'auditor') return 4;
  return point.startsWith('relay.') ? 1 : 2;
}

/** What a network can do to a service's talk with its target: at which statement, and what. */
const AT_TARGET = [
  { service: 'broker', at: 'create', how: 'request_cut' },
  { service: 'broker', at: 'create', how: 'answer_cut' },
  { service: 'broker', at: 'create', how: 'answer_swallowed' },
  { service: 'broker', at: 'renew', how: 'request_cut' },
  { service: 'broker', at: 'renew', how: 'answer_cut' },
  { service: 'revoker', at: 'fence', how: 'request_cut' },
  { service: 'revoker', at: 'fence', how: 'answer_cut' },
  { service: 'revoker', at: 'fence', how: 'answer_swallowed' },
  { service: 'revoker', at: 'clean', how: 'request_cut' },
  { service: 'revoker', at: 'clean', how: 'answer_cut' },
];
/** And to its talk with its own database: at a commit. Whether it was kept, its service must find out. */
const AT_STORE = ['request_cut', 'answer_cut'];
const OF_SERVICES = {
  /** Dies at a point, and again at another while its successor takes up what was left. */
  second_death: (service) => ({ kind: 'second_death', service }),
  /** One of two instances dies; nobody starts it again. */
  takeover: (service) => ({ kind: 'takeover', service }),
  /** One of two instances stands still for longer than its membership lasts, and comes back. */
  freeze: (service) => ({ kind: 'freeze', service }),
};

/** @returns {{ kind: 'death', service: string, point: string }[]} in the order of the points */
export const deaths = () =>
  FAULT_POINTS.flatMap((point) => servicesAt(point).map((service) => ({ kind: 'death', service, point })));

/** Every kind of accident but deaths, each as often as it is in one pass of the mix. */
const others = () => [
  ...Object.values(OF_SERVICES).flatMap((each) => SERVICES.map(each)),
  ...AT_TARGET.map((where) => ({ kind: 'target_network', ...where })),
  ...SERVICES.flatMap((service) => AT_STORE.map((how) => ({ kind: 'store_network', service, how }))),
  { kind: 'target_away' },
  { kind: 'target_slow' },
  { kind: 'target_restart', how: 'crash' },
  { kind: 'target_restart', how: 'fast' },
  { kind: 'store_restart', how: 'crash' },
  { kind: 'store_restart', how: 'fast' },
  { kind: 'bus_network' },
  { kind: 'bus_restart', how: 'crash' },
  { kind: 'bus_restart', how: 'ordered' },
  { kind: 'redelivery' },
  { kind: 'redelivery' },
];
export const KINDS = ['death', ...new Set(others().map(({ kind }) => kind))];

/** Only for who asks for them by name. */
const LEFT_OUT = [
  /** No accident: it must be found. */
  { kind: 'sabotage' },
  /** The answer to a commit in a service's own database never comes, and the connection stays: given up after 12 s, which the judge calls late. */
  ...SERVICES.map((service) => ({ kind: 'store_silence', service })),
];
/** Of the Redis that only the suite `providers` has. */
const AT_CACHE = [
  { kind: 'cache_away' },
  { kind: 'cache_restart', how: 'crash' },
  { kind: 'cache_restart', how: 'fast' },
];
export const ASKED_FOR = [...KINDS, ...new Set([...LEFT_OUT, ...AT_CACHE].map(({ kind }) => kind))];

/** What to let happen. A service: what happens to it alone; `providers`: what targets have to stand, and those who talk to them. */
export const SUITES = ['all', ...SERVICES, 'providers'];
const AT_TARGETS = ['target_network', 'target_away', 'target_slow', 'target_restart'];
const isDeathOf = (services, { kind, service }) =>
  ['death', 'second_death'].includes(kind) && services.includes(service);

function isIn(suite, accident) {
  switch (suite) {
    case 'all':
      return true;
    case 'providers':
      return AT_TARGETS.includes(accident.kind) || isDeathOf(['broker', 'revoker'], accident);
    default:
      return accident.service === suite;
  }
}

/** All that are in the mix. */
export function matrix({ suite = 'all', kind = 'all' } = {}) {
  const mix = [...deaths(), ...others(), ...(kind === 'all' ? [] : LEFT_OUT)].filter((each) =>
    isIn(suite, each),
  );
  return [...mix, ...(suite === 'providers' ? AT_CACHE : [])].filter(
    (each) => kind === 'all' || each.kind === kind,
  );
}

/** The short set is run on machines that are busy with other things; it is `npm run faults` that says how long anything may take. */
export const PATIENT_MS = 15_000;

/** Every point once, at one of its services, three processes at a time; then a round or two of each other kind: the short set. */
export function shortSet() {
  const queues = { broker: [], revoker: [], auditor: [] };
  // The points that few pass choose first.
  for (const point of FAULT_POINTS.toSorted((a, b) => servicesAt(a).length - servicesAt(b).length)) {
    const [service] = servicesAt(point).toSorted((a, b) => queues[a].length - queues[b].length);
    queues[service].push({ kind: 'death', service, point, nth: 1 });
  }
  const rounds = Math.max(...Object.values(queues).map((queue) => queue.length));
  return [
    ...Array.from({ length: rounds }, (_, index) =>
      Object.values(queues).flatMap((queue) => queue[index] ?? []),
    ),
    [
      {
        kind: 'second_death',
        service: 'broker',
        point: 'create.after',
        again: 'outcome.before_commit',
        nth: 1,
      },
      {
        kind: 'second_death',
        service: 'revoker',
        point: 'cut.after',
        again: 'attempt.before_commit',
        nth: 1,
      },
      {
        kind: 'second_death',
        service: 'auditor',
        point: 'append.before_commit',
        again: 'append.before_commit',
        nth: 1,
      },
    ],
    [
      { kind: 'target_network', service: 'broker', at: 'create', how: 'answer_swallowed', nth: 1 },
      { kind: 'target_network', service: 'revoker', at: 'fence', how: 'request_cut', nth: 1 },
      { kind: 'store_network', service: 'auditor', how: 'answer_cut', nth: 2 },
      { kind: 'redelivery' },
    ],
    [
      { kind: 'target_network', service: 'broker', at: 'create', how: 'request_cut', nth: 2 },
      { kind: 'target_network', service: 'revoker', at: 'fence', how: 'answer_cut', nth: 1 },
      { kind: 'store_network', service: 'broker', how: 'request_cut', nth: 2 },
    ],
    [{ kind: 'target_network', service: 'broker', at: 'renew', how: 'answer_cut', nth: 1 }],
    [{ kind: 'store_restart', how: 'crash', afterMs: 100 }],
    [{ kind: 'bus_restart', how: 'crash', afterMs: 100 }],
    SERVICES.map((service) => ({ kind: 'takeover', service, afterMs: 50, withinMs: PATIENT_MS })),
    SERVICES.map((service) => ({ kind: 'freeze', service, afterMs: 50 })),
  ];
}

/** An endless sequence: the matrix shuffled, then shuffled again, each with a moment of its own. */
export function* shuffled({ suite, kind, seed }) {
  const random = randomFrom(seed);
  const below = (n) => Math.floor(random() * n);
  for (;;) {
    const rest = matrix({ suite, kind });
    if (rest.length === 0) return;
    while (rest.length > 0) {
      const [accident] = rest.splice(below(rest.length), 1);
      yield { ...accident, ...momentOf(accident, below) };
    }
  }
}

function momentOf({ kind, service, point }, below) {
  switch (kind) {
    case 'death':
      return { nth: 1 + below(nthMax(service, point)) };
    case 'second_death': {
      const points = FAULT_POINTS.filter((each) => servicesAt(each).includes(service));
      const first = points[below(points.length)];
      return { point: first, nth: 1 + below(nthMax(service, first)), again: points[below(points.length)] };
    }
    case 'target_network':
    case 'store_network':
    case 'store_silence':
      return { nth: 1 + below(4) };
    case 'takeover':
    case 'freeze':
    case 'store_restart':
    case 'target_restart':
    case 'cache_restart':
    case 'bus_restart':
      return { afterMs: below(400) };
    default:
      return {};
  }
}

/** A line about it. */
export function nameOf({ kind, service, point, again, at, how, nth, afterMs }) {
  const moment = nth === undefined ? '' : `:${nth}`;
  switch (kind) {
    case 'death':
      return `${service} ${point}${moment}`;
    case 'second_death':
      return `${service} ${point}${moment}, then ${again}`;
    default: {
      const where = [kind, service, at, how].filter((word) => word !== undefined).join(' ');
      return `${where}${moment}${afterMs === undefined ? '' : ` after ${afterMs} ms`}`;
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
