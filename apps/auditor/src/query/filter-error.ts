/** What is wrong with a filter, and where. */
export const FILTER_CODES = [
  'ERR_FILTER_TOO_LONG',
  'ERR_FILTER_TOO_MANY_TERMS',
  'ERR_FILTER_TOO_DEEP',
  'ERR_FILTER_SYNTAX',
  'ERR_FILTER_FIELD_UNKNOWN',
  'ERR_FILTER_OPERATOR',
  'ERR_FILTER_VALUE',
] as const;
export type FilterCode = (typeof FILTER_CODES)[number];

export class FilterError extends Error {
  override readonly name = 'FilterError';
  constructor(
    readonly code: FilterCode,
    /** UTF-16 code units from the start of the filter. */
    readonly at: number,
    /** Constant text of ours: nothing of the filter is echoed. */
    message: string,
  ) {
    super(message);
  }
}
