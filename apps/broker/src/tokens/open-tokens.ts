/** What the broker needs to make tokens, where it is configured to. */
import type { MayflyConfig } from '#config/load.js';
import { DpopNonces } from '#identity/dpop-nonce.js';
import type { Database } from '#store/database.js';
import type { QueuedRecord } from '#store/outbox.js';
import type { Log } from '#telemetry/log.js';
import { keptSecret } from './kept-secret.js';
import { FileKeyWrap } from './key-wrap.js';
import { StatusIndex } from './status-index.js';
import { TokenKeys } from './token-keys.js';

export interface Tokens {
  keys: TokenKeys;
  /** What token requests are asked to prove with; the same of all brokers. */
  nonces: DpopNonces;
  /** Absent: tokens are in no status list. */
  status?: StatusIndex;
}

const NONCE_SECRET = 'mayfly dpop nonce';

export const noncesOf = async (kept: Parameters<typeof keptSecret>[0]): Promise<DpopNonces> =>
  new DpopNonces(await keptSecret(kept, NONCE_SECRET));

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
  const nonces = await noncesOf({ db, wrap });
  if (statusLists === undefined) return { keys, nonces };
  const onError = (err: unknown) => log.warn({ err }, 'no places in status lists are to be had');
  return { keys, nonces, status: await StatusIndex.open({ db, wrap, lists: statusLists, onError }) };
}

/** After a restore: what the forgotten life signed, and which places it gave out, is not known. */
export async function startAnew({ keys, status }: Tokens): Promise<void> {
  await keys.rotate({ how: 'at_once', reason: { why: 'restored' } });
  await status?.startAnew();
}
