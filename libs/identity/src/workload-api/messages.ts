/** The messages of workload.proto, to bytes and back. What the agent says is read strictly in form; nothing in it is verified here. */
import { field, fieldsOf } from './protobuf.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const textOf = (bytes: Buffer) => utf8.decode(bytes);

/** The last field of that number, as proto3 reads it; absent is empty. */
const lastOf = (message: Buffer, number: number) =>
  [...fieldsOf(message)].filter((each) => each.number === number).at(-1)?.bytes ?? Buffer.alloc(0);
const allOf = (message: Buffer, number: number) =>
  [...fieldsOf(message)].filter((each) => each.number === number).map(({ bytes }) => bytes);

export interface JwtSvidRequest {
  audience: string;
  spiffeId?: string;
}
export const writeJwtSvidRequest = ({ audience, spiffeId = '' }: JwtSvidRequest) =>
  Buffer.concat([field(1, audience), field(2, spiffeId)]);

export interface JwtSvid {
  spiffeId: string;
  svid: string;
}
export const readJwtSvidResponse = (message: Buffer): JwtSvid[] =>
  allOf(message, 1).map((svid) => ({ spiffeId: textOf(lastOf(svid, 1)), svid: textOf(lastOf(svid, 2)) }));

export const writeJwtBundlesRequest = () => Buffer.alloc(0);

/** JWK Sets by trust domain id, such as `spiffe://corp.example`. */
export const readJwtBundlesResponse = (message: Buffer): Map<string, Buffer> =>
  new Map(allOf(message, 1).map((entry) => [textOf(lastOf(entry, 1)), Buffer.from(lastOf(entry, 2))]));

export interface ValidationRequest {
  audience: string;
  svid: string;
}
export const writeValidationRequest = ({ audience, svid }: ValidationRequest) =>
  Buffer.concat([field(1, audience), field(2, svid)]);
/** The SPIFFE id; the claims are left out, they are in the token. */
export const readValidationResponse = (message: Buffer): string => textOf(lastOf(message, 1));
