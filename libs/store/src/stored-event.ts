/** One event of a stream, in the shape in which it was written or in today's. */
export interface StoredEvent {
  stream: string;
  version: number;
  type: string;
  /** Of the data, counted per type. Absent: 1. */
  schemaVersion?: number;
  data: object;
  ceId: string;
  causedBy?: string;
}
