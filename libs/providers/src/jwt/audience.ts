/** The one service that a token is for: an absolute URI without a fragment (RFC 8707 §2), short enough to be carried in every token. */
import { z } from 'zod';

export const tokenAudience = z
  .string()
  .max(512)
  .regex(
    /^(https?:\/\/[a-z0-9.\-[\]:]+(\/[A-Za-z0-9._~/-]*)?|urn:[a-z0-9][a-z0-9-]{1,31}:[A-Za-z0-9._:/-]+)$/,
    {
      error: 'expected an https, http or urn URI without query and fragment',
    },
  );
