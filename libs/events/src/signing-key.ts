/** Why a key for tokens was made. */
export const SIGNING_KEY_CAUSES = ['first', 'schedule', 'order', 'restored'] as const;
export type SigningKeyCause = (typeof SIGNING_KEY_CAUSES)[number];
