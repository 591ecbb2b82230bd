/** The provider against a real Kafka with an authorizer: one for all of it, for it takes seconds to start. */
import { describeProvider } from '../provider.contract.js';
import { describeCut } from './kafka-cut.contract.js';
import { describeRights } from './kafka-rights.contract.js';
import { describeSlowTarget } from './kafka-slow.contract.js';
import { openSampleKafka, type SampleKafka } from './sample-kafka.contract.js';

let kafka: SampleKafka;
beforeAll(async () => {
  kafka = await openSampleKafka();
});
afterAll(() => kafka.close());

const features = {
  ...{ asksServer: true, knowsPrincipals: true, keepsSessions: false, refusesLateCreate: false },
  letsLateCreateLive: true,
};
// It is one of several that use this Kafka, so it is not the one to close it.
describeProvider('kafka', features, () => Promise.resolve({ ...kafka, close: () => Promise.resolve() }));

describeRights(() => kafka);
describeCut(() => kafka);
describeSlowTarget(() => kafka);
