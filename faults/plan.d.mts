/** Which process dies where; see plan.mjs. */
import type { Service } from '../scripts/start/stack.mjs';

/** A service that dies at its nth passage of a point. */
export interface Death {
  service: Service;
  point: string;
  nth: number;
}

/** Every point once, at one of its services, up to three processes in a round. */
export function shortSet(): Death[][];
