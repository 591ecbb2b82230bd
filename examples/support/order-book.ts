/** The data that the example services keep: orders, in memory. */
import { z } from 'zod';

export const newOrder = z.strictObject({
  item: z.string().min(1).max(64),
  quantity: z.int().min(1).max(1_000),
});
export type NewOrder = z.infer<typeof newOrder>;

export interface Order extends NewOrder {
  id: number;
  /** The agent that placed it, as its token says. */
  by: string;
}

export class OrderBook {
  readonly #orders: Order[] = [
    { id: 1, item: 'paper', quantity: 20, by: 'counter' },
    { id: 2, item: 'ink', quantity: 4, by: 'counter' },
  ];

  list(): readonly Order[] {
    return this.#orders;
  }

  place(order: NewOrder, by: string): Order {
    const placed = { id: this.#orders.length + 1, ...order, by };
    this.#orders.push(placed);
    return placed;
  }
}
