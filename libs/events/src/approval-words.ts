/** An approval in the words that people read before they say yes. Pure. */
import type { EventOf } from './outbound.js';

type Binds = EventOf<'approval.requested'>['data']['binds'];

/** What a yes can truly be held to, and no more. */
export const bindingWords = ({ what, rights, seconds }: Binds): string =>
  what === 'this_call'
    ? 'this call, with these arguments'
    : `these rights for ${seconds} s at most: ${rights.join(', ')}`;

export const actWords = ({
  tool,
  dataset,
  action,
}: {
  tool: string;
  dataset?: string | undefined;
  action: string;
}): string => (dataset === undefined ? `${action} with ${tool}` : `${action} ${dataset} with ${tool}`);
