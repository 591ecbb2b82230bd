/**
 * The last defence of the log: takes what looks like a secret out of a finished line of JSON.
 * No caller may rely on it. A secret is a `Secret`, which prints as `[secret]`, and is never put into a field or a message.
 */
const CENSORED = '[redacted]';

/** Names of fields whose string value is never printed, at any depth. `d` and `k` are the private members of a JWK (RFC 7518 §6). */
const NAMES = String.raw`(?:[\w-]*(?:password|passphrase|secret|token|authorization|cookie|credential|svid|dpop)|[\w-]*private_?key|d|k)`;
const FIELD = new RegExp(String.raw`("${NAMES}":\s*")(?:[^"\\]|\\.)*(")`, 'gi');
/** The same inside a string that itself holds JSON. */
const QUOTED_FIELD = new RegExp(String.raw`(\\"${NAMES}\\":\s*\\")[^"\\]*(\\")`, 'gi');
/** Compact JWS and JWE: a base64url JSON header, then two or four more parts (RFC 7515 §7.1, RFC 7516 §7.1). */
const COMPACT_TOKEN = /\beyJ[\w-]{4,}(?:\.[\w-]*){2,4}/g;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*):[^\s@"\\]+@/gi;
const PEM_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="))/g;

/** Replaces secrets in `line`, which stays valid JSON. */
export function scrub(line: string): string {
  return line
    .replace(FIELD, `$1${CENSORED}$2`)
    .replace(QUOTED_FIELD, `$1${CENSORED}$2`)
    .replace(COMPACT_TOKEN, CENSORED)
    .replace(URL_PASSWORD, `$1:${CENSORED}@`)
    .replace(PEM_KEY, CENSORED);
}
