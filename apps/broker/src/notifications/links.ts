/** Where the broker shows what a notification is about. */
import type { Notice } from './notice.js';

export interface Links {
  approval?: string;
}

/** @param broker its address, as callers reach it */
export const linksOf = ({ approval }: Notice, broker: string): Links =>
  approval === undefined ? {} : { approval: `${broker}/v1/approvals/${approval.id}` };
