/**
 * What partial evaluation leaves of a policy, without what is settled: `true && …`, `… && false`. The engine keeps the latter, because
 * the left side might fail; of policies that fit the schema it does not. Pure.
 */
import type { Clause, Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** @returns its conditions; null where they can never hold. None at all: it always holds. */
export function conditionsLeft({ conditions }: PolicyJson): Clause[] | null {
  const left = conditions.map(({ kind, body }) => ({ kind, body: simplified(body) }));
  if (left.some(({ kind, body }) => isValue(body, kind === 'unless'))) return null;
  return left.filter(({ kind, body }) => !isValue(body, kind === 'when'));
}

const SUB = ['left', 'right', 'arg', 'if', 'then', 'else', 'in'];
const LEAVES = ['Value', 'Var', 'Slot'];

function simplified(expr: Expr): Expr {
  const [op = '', body] = Object.entries(expr)[0] as [string, unknown];
  if (LEAVES.includes(op)) return expr;
  if (op === 'unknown') return contextOf((body as Expr[])[0]) ?? expr;
  if (Array.isArray(body)) return { [op]: (body as Expr[]).map(simplified) };
  const members = Object.fromEntries(
    Object.entries(body as Record<string, unknown>).map(([name, value]) => [
      name,
      op === 'Record' || SUB.includes(name) ? simplified(value as Expr) : value,
    ]),
  );
  return settled(op, members as Record<string, Expr>) ?? ({ [op]: members } as unknown as Expr);
}

function settled(
  op: string,
  { left, right, arg, if: test, then, else: otherwise }: Partial<Record<string, Expr>>,
) {
  switch (op) {
    case '&&':
      if (isValue(left, false) || isValue(right, false)) return value(false);
      return isValue(left, true) ? right : isValue(right, true) ? left : undefined;
    case '||':
      if (isValue(left, true) || isValue(right, true)) return value(true);
      return isValue(left, false) ? right : isValue(right, false) ? left : undefined;
    case '!':
      return isValue(arg, true) ? value(false) : isValue(arg, false) ? value(true) : opposite(arg);
    case 'if-then-else':
      return isValue(test, true) ? then : isValue(test, false) ? otherwise : undefined;
    default:
      return undefined;
  }
}

/** The engine keeps `a > b` as `!(a <= b)`. */
const OPPOSITES: Record<string, string> = { '<': '>=', '<=': '>', '==': '!=' };

function opposite(expr: Expr | undefined): Expr | undefined {
  const [op = '', sides] = Object.entries(expr ?? {})[0] ?? [];
  const other = OPPOSITES[op];
  return other === undefined ? undefined : ({ [other]: sides } as unknown as Expr);
}

/** `unknown("now")` is what the policy calls `context.now`. */
function contextOf(name: Expr | undefined): Expr | undefined {
  const attr = name !== undefined && 'Value' in name ? name.Value : undefined;
  return typeof attr === 'string'
    ? ({ '.': { left: { Var: 'context' }, attr } } as unknown as Expr)
    : undefined;
}

const value = (is: boolean) => ({ Value: is }) as unknown as Expr;
const isValue = (expr: Expr | undefined, is: boolean): boolean =>
  expr !== undefined && 'Value' in expr && expr.Value === is;
