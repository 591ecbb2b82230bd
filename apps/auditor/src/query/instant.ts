/** Instants as they are written in requests: RFC 3339 with a zone. */
import { z } from 'zod';

export const instant = z.iso.datetime({ offset: true });

/** In epoch milliseconds; what is finer is cut off. @returns undefined for what is no instant. */
export const instantMs = (text: string): number | undefined =>
  instant.safeParse(text).success ? Date.parse(text) : undefined;
