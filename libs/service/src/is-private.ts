/** Whether a request came by a way on which nobody else could read it. */
import type { IncomingMessage } from 'node:http';

const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;

/** @param behindTls the operator's word that whoever reaches this address came through TLS. */
export const privacyOf =
  ({ environment, behindTls = false }: { environment: string; behindTls?: boolean | undefined }) =>
  ({ socket: { remoteAddress = '' } }: Pick<IncomingMessage, 'socket'>): boolean =>
    behindTls || (environment === 'development' && LOOPBACK.test(remoteAddress));
