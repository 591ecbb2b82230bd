/** An address of somebody else's that we ask or tell. */
import { z } from 'zod';

const LOOPBACK_URL = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(\/[A-Za-z0-9._~-]+)*$/;

/** A name that is looked up: whoever stood in its way could answer in its place. */
export const secureUrl = z
  .string()
  .max(512)
  .refine(
    (url) => LOOPBACK_URL.test(url) || /^https:\/\/[a-z0-9.-]+(:\d{1,5})?(\/[A-Za-z0-9._~-]+)*$/.test(url),
    'must be an https:// URL, or http:// on loopback, without query, fragment and trailing slash',
  );
