/** One expression of a policy, in Cedar's JSON form, as a function of the request. */
import type { CedarValueJson, Expr } from '@cedar-policy/cedar-wasm/nodejs';
import { askEngine } from './ask-engine.js';
import type { Entities } from './entities.js';
import {
  Datetime,
  datetimeOf,
  Duration,
  durationOf,
  type Fields,
  isEqual,
  order,
  Ref,
  type Value,
} from './value.js';

export interface Facts {
  principal: Ref;
  action: Ref;
  resource: Ref;
  context: Fields;
  entities: Entities;
}
export type Compiled = (facts: Facts) => Value;

/** What is not compiled is asked of the engine when it is reached: a policy whose scope does not fit never gets there. */
export function compile(expr: Expr): Compiled {
  const [op = '', body] = Object.entries(expr)[0] as [string, unknown];
  const compiler = Object.hasOwn(COMPILERS, op) ? COMPILERS[op] : undefined;
  return compiler === undefined ? askEngine : compiler(body as never);
}

interface Two {
  left: Expr;
  right: Expr;
}
type Compiler<T> = (body: T) => Compiled;

const two =
  (apply: (a: Value, b: Value, facts: Facts) => Value): Compiler<Two> =>
  ({ left, right }) => {
    const [a, b] = [compile(left), compile(right)];
    return (facts) => apply(a(facts), b(facts), facts);
  };
/** The right side is looked at only where the left leaves it open. */
const either =
  (decides: boolean): Compiler<Two> =>
  ({ left, right }) => {
    const [a, b] = [compile(left), compile(right)];
    return (facts) => (truth(a(facts)) === decides ? decides : truth(b(facts)));
  };
const call =
  (apply: (...given: Value[]) => Value): Compiler<Expr[]> =>
  (given) => {
    const compiled = given.map(compile);
    return (facts) => apply(...compiled.map((each) => each(facts)));
  };

const COMPILERS: Record<string, Compiler<never>> = {
  Value: (json: CedarValueJson) => {
    const value = literal(json);
    return value === undefined ? askEngine : () => value;
  },
  Var: (name: 'principal' | 'action' | 'resource' | 'context') => (facts) => facts[name],
  Set: (members: Expr[]) => {
    const compiled = members.map(compile);
    return (facts) => compiled.map((each) => each(facts));
  },
  '!': ({ arg }: { arg: Expr }) => {
    const inner = compile(arg);
    return (facts) => !truth(inner(facts));
  },
  '&&': either(false),
  '||': either(true),
  '==': two(isEqual),
  '!=': two((a, b) => !isEqual(a, b)),
  '<': two((a, b) => order(a, b) < 0),
  '<=': two((a, b) => order(a, b) <= 0),
  '>': two((a, b) => order(a, b) > 0),
  '>=': two((a, b) => order(a, b) >= 0),
  in: two((a, b, { entities }) =>
    (Array.isArray(b) ? b : [b]).map(reference).some((group) => entities.isIn(reference(a), group)),
  ),
  is: ({ left, entity_type: type, in: within }: { left: Expr; entity_type: string; in?: Expr }) => {
    if (within !== undefined) return askEngine;
    const inner = compile(left);
    return (facts) => reference(inner(facts)).type === type;
  },
  contains: two((a, b) => elements(a).some((each) => isEqual(each, b))),
  containsAll: two((a, b) => elements(b).every((each) => elements(a).some((mine) => isEqual(mine, each)))),
  containsAny: two((a, b) => elements(b).some((each) => elements(a).some((mine) => isEqual(mine, each)))),
  isEmpty: ({ arg }: { arg: Expr }) => {
    const inner = compile(arg);
    return (facts) => elements(inner(facts)).length === 0;
  },
  '.': ({ left, attr }: { left: Expr; attr: string }) => {
    const inner = compile(left);
    return (facts) => {
      const value = inner(facts);
      return value instanceof Ref
        ? facts.entities.attribute(value, attr)
        : (fields(value).get(attr) ?? askEngine());
    };
  },
  has: ({ left, attr }: { left: Expr; attr: string | string[] }) => {
    const inner = compile(left);
    const [name, ...more] = typeof attr === 'string' ? [attr] : attr;
    if (name === undefined || more.length > 0) return askEngine;
    return (facts) => {
      const value = inner(facts);
      return value instanceof Ref ? facts.entities.hasAttribute(value, name) : fields(value).has(name);
    };
  },
  'if-then-else': (branches: { if: Expr; then: Expr; else: Expr }) => {
    const [condition, yes, no] = [branches.if, branches.then, branches.else].map(compile);
    if (condition === undefined || yes === undefined || no === undefined) return askEngine;
    return (facts) => (truth(condition(facts)) ? yes(facts) : no(facts));
  },
  datetime: call((text) => datetimeOf(string(text))),
  duration: call((text) => durationOf(string(text))),
  durationSince: call((a, b) => new Duration(moment(a).ms - moment(b).ms)),
  toTime: call((a) => new Duration(((moment(a).ms % DAY_MS) + DAY_MS) % DAY_MS)),
};
const DAY_MS = 86_400_000;

/** Undefined where only the engine knows it: a number that loses digits here, a record, a function in JSON. */
function literal(json: CedarValueJson): Value | undefined {
  if (typeof json === 'boolean' || typeof json === 'string') return json;
  if (typeof json === 'number') return Number.isSafeInteger(json) ? json : undefined;
  if (typeof json !== 'object' || json === null || Array.isArray(json) || !('__entity' in json))
    return undefined;
  const { type, id } = json.__entity as { type: string; id: string };
  return new Ref(type, id);
}

const truth = (value: Value): boolean => (typeof value === 'boolean' ? value : askEngine());
const string = (value: Value | undefined): string => (typeof value === 'string' ? value : askEngine());
const reference = (value: Value): Ref => (value instanceof Ref ? value : askEngine());
const moment = (value: Value | undefined): Datetime => (value instanceof Datetime ? value : askEngine());
const elements = (value: Value): Value[] => (Array.isArray(value) ? value : askEngine());
const fields = (value: Value): Fields => (value instanceof Map ? (value as Fields) : askEngine());
