/**
 * Events are kept as they were written, for ever: they are lifted to today's shape when they are read. Pure.
 * A type's first version is 1; each change of its data that readers cannot overlook adds a step, and nothing else is touched.
 */
import type { StoredEvent } from './stored-event.js';

/** From one version of a type's data to the next. MUST keep members that it does not know, and MUST NOT change what it is given. */
export type Upcast = (data: Readonly<Record<string, unknown>>) => object;

/** Of each type that may be in a stream, its steps from version 1 on: a type with two steps is written in version 3. */
export type Upcasts<T extends string = string> = Readonly<Record<T, readonly Upcast[]>>;

export type UpcastErrorCode =
  /** Written by a later release than this one. */
  | 'ERR_EVENT_VERSION_UNKNOWN'
  /** Of a type that no stream of this release holds. */
  | 'ERR_EVENT_TYPE_UNKNOWN';

/** What an event means is not known here, so nothing that follows from it is: it is refused, never guessed. */
export class UpcastError extends Error {
  override readonly name = 'UpcastError';
  constructor(
    readonly code: UpcastErrorCode,
    readonly fields: Pick<StoredEvent, 'stream' | 'version' | 'type' | 'schemaVersion'>,
  ) {
    super(
      code === 'ERR_EVENT_TYPE_UNKNOWN'
        ? 'a stored event is of an unknown type'
        : 'a stored event is of a later version than is known',
    );
  }
}

/** The event in the shape of today. @throws UpcastError */
export function upcast(event: StoredEvent, upcasts: Upcasts): StoredEvent {
  const { stream, version, type, schemaVersion = 1 } = event;
  const at = { stream, version, type, schemaVersion };
  const steps = Object.hasOwn(upcasts, type) ? upcasts[type] : undefined;
  if (steps === undefined) throw new UpcastError('ERR_EVENT_TYPE_UNKNOWN', at);
  const known = steps.length + 1;
  if (!Number.isInteger(schemaVersion) || schemaVersion < 1 || schemaVersion > known)
    throw new UpcastError('ERR_EVENT_VERSION_UNKNOWN', at);
  const data = steps
    .slice(schemaVersion - 1)
    .reduce<object>((lifted, step) => step(lifted as Record<string, unknown>), event.data);
  return { ...event, schemaVersion: known, data };
}

/** The version in which events of this type are written. */
export const writtenIn = <T extends string>(upcasts: Upcasts<T>, type: T): number => upcasts[type].length + 1;
