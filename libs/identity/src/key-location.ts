/** Where the configuration says that an issuer's keys are: a file, or an address. */
import { IdentityError } from './errors.js';

export type KeyLocation =
  | { kind: 'file'; location: string }
  | { kind: 'address'; location: string }
  /** The SPIFFE Workload API at this socket. */
  | { kind: 'workload_api'; location: string; socket: string };

/** No names: what `localhost` resolves to is not ours to say. */
const LOOPBACK = new Set(['127.0.0.1', '[::1]']);

/**
 * `https://…`, `unix:///…` or the path of a file. `http://` only in development, from this machine: whoever can answer in clear for
 * an issuer is the issuer.
 * @throws IdentityError ERR_IDENTITY_ISSUER_INVALID
 */
export function readKeyLocation(location: string, environment: string): KeyLocation {
  const invalid = (message: string) =>
    new IdentityError('ERR_IDENTITY_ISSUER_INVALID', message, { location });
  if (!/^[a-z][a-z0-9+.-]*:/i.test(location)) return { kind: 'file', location };
  if (!URL.canParse(location)) throw invalid('the keys of an issuer are at no address');
  const { protocol, hostname, username, password, pathname, host, hash } = new URL(location);
  if (username !== '' || password !== '' || hash !== '')
    throw new IdentityError('ERR_IDENTITY_ISSUER_INVALID', 'the address of keys has a user or a fragment');
  switch (protocol) {
    case 'https:':
      return { kind: 'address', location };
    case 'http:':
      if (environment !== 'development' || !LOOPBACK.has(hostname))
        throw invalid('keys are fetched in clear in development only, from loopback');
      return { kind: 'address', location };
    case 'unix:':
      if (host !== '' || !/^\/./.test(pathname)) throw invalid('the socket needs an absolute path');
      return { kind: 'workload_api', location, socket: decodeURIComponent(pathname) };
    default:
      throw invalid('keys come from a file, https: or unix:');
  }
}
