/** Where tokens, SVIDs and envelopes may be sent: over TLS, or to this machine. */
import { AgentError } from './agent-error.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** @throws AgentError ERR_URL_INSECURE for anything but https, and http on loopback; the URL is not quoted, for it may hold a secret. */
export function secureUrl(text: string | URL): URL {
  const url = URL.canParse(String(text)) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new AgentError('ERR_URL_INSECURE', 'not an https URL');
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    throw new AgentError('ERR_URL_INSECURE', 'http is for this machine only: https is needed', {
      host: url.host,
    });
  if (url.username !== '' || url.password !== '')
    throw new AgentError('ERR_URL_INSECURE', 'a URL must not hold a login', { host: url.host });
  return url;
}
