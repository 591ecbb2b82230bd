/** Columns of projections as the API shows them: one table gives the schema and the view. */
import { z } from 'zod';
import type { Row, Value } from '#projection/tables.js';

/** `time`: epoch milliseconds, shown as RFC 3339. `seq`: a place in the log. */
type Kind = 'text' | 'time' | 'whole' | 'seq' | 'flag' | 'list';

export interface Shown {
  readonly column: string;
  readonly kind: Kind;
  readonly says?: string;
}
export type Columns = Readonly<Record<string, Shown>>;

export const text = (column: string, says?: string): Shown => shown('text', column, says);
export const time = (column: string, says?: string): Shown => shown('time', column, says);
export const whole = (column: string, says?: string): Shown => shown('whole', column, says);
export const seq = (column: string, says = 'The entry that says so.'): Shown => shown('seq', column, says);
export const flag = (column: string, says?: string): Shown => shown('flag', column, says);
export const list = (column: string, says?: string): Shown => shown('list', column, says);

const shown = (kind: Kind, column: string, says: string | undefined): Shown => ({
  ...{ kind, column },
  ...(says === undefined ? {} : { says }),
});

const SCHEMAS: Readonly<Record<Kind, () => z.ZodType>> = {
  text: () => z.string().nullable(),
  time: () => z.string().nullable(),
  whole: () => z.int().nullable(),
  seq: () => z.int().nonnegative().nullable(),
  flag: () => z.boolean().nullable(),
  list: () => z.array(z.unknown()).nullable(),
};

export const schemaOf = (columns: Columns): z.ZodType =>
  z.strictObject(
    Object.fromEntries(
      Object.entries(columns).map(([name, { kind, says }]) => {
        const schema = SCHEMAS[kind]();
        return [name, says === undefined ? schema : schema.describe(says)];
      }),
    ),
  );

export const viewOf = (columns: Columns, row: Row): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(columns).map(([name, { column, kind }]) => {
      const value = row[column] ?? null;
      return [name, kind === 'time' && typeof value === 'number' ? new Date(value).toISOString() : value];
    }),
  );
