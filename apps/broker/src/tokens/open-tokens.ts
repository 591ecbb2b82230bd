/** What the broker needs to make tokens, where it is configured to. */
import type { MayflyConfig } from '#config/load.js';
import type { Database } from '#store/database.js';
import type { QueuedRecord } from '#store/outbox.js';
import type { Log } from '#telemetry/log.js';
import { FileKeyWrap } from './key-wrap.js';
import { StatusIndex } from './status-index.js';
import { TokenKeys } from './token-keys.js';

export interface Tokens {
  keys: TokenKeys;
  /** Absent: tokens are in no status list. */
  status?: StatusIndex;
}

/** @returns null where `services.broker.tokens` is not given. @throws IdentityError for the file of the key-encryption key */
export async function openTokens(
  { services: { broker } }: MayflyConfig<'broker'>,
  db: Database,
  send: (queued: QueuedRecord[]) => void,
  log: Log,
): Promise<Tokens | null> {
  const { tokens, issuer, http } = broker;
  if (tokens === undefined) return null;
  const { rotateEveryMs, publishAheadMs, statusLists } = tokens;
  const wrap = await FileKeyWrap.fromFile(tokens.keyEncryptionKey);
  const keys = await TokenKeys.open({
    ...{ db, wrap, send, schedule: { rotateEveryMs, publishAheadMs } },
    issuer: issuer ?? `http://${http.host}:${http.port}`,
  });
  if (statusLists === undefined) return { keys };
  const onError = (err: unknown) => log.warn({ err }, 'no places in status lists are to be had');
  return { keys, status: await StatusIndex.open({ db, wrap, lists: statusLists, onError }) };
}

/** After a restore: what the forgotten life signed, and which places it gave out, is not known. */
export async function startAnew({ keys, status }: Tokens): Promise<void> {
  await keys.rotate({ how: 'at_once', reason: { why: 'restored' } });
  await status?.startAnew();
}
