/**
 * What every adapter of the bus must do. Each test makes topics and groups of its own, so that suites may share a broker.
 */
import type { OpenedBus } from './contract-support.contract.js';
import { describePublishing } from './publish.contract.js';
import { describeSubscribing } from './subscribe.contract.js';
import { describeTopics } from './topics.contract.js';

export function describeBus(name: string, open: () => Promise<OpenedBus>): void {
  describe(`the bus contract: ${name}`, () => {
    let opened: OpenedBus;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());

    describePublishing(() => opened);
    describeSubscribing(() => opened);
    describeTopics(() => opened);
  });
}
