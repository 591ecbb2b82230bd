/** Who is told of revocations outside the bus, and how: what the operator wrote under `caep`, checked. */
import type { MayflyConfig } from '#config/load.js';

type Caep = NonNullable<MayflyConfig<'revoker'>['services']['revoker']['caep']>;
export type Receiver = Caep['receivers'][number];
export type PushReceiver = Receiver & { url: string };
export type PollReceiver = Receiver & { poller: string };

export const isPushed = (receiver: Receiver): receiver is PushReceiver => receiver.url !== undefined;
export const isPolled = (receiver: Receiver): receiver is PollReceiver => receiver.poller !== undefined;
