/** The provider against a real Kafka with an authorizer: one for all of it, for it takes seconds to start. */
import { describeProvider } from '../provider.contract.js';
import { describeCut } from './kafka-cut.contract.js';
import { describeLosses } from './kafka-losses.contract.js';
import { describePrincipals } from './kafka-principals.contract.js';
import {
  kafkaFeatures,
  openSampleKafka,
  STARTS_WITHIN_MS,
  type SampleKafka,
} from './sample-kafka.contract.js';

let kafka: SampleKafka;
beforeAll(async () => {
  kafka = await openSampleKafka();
}, STARTS_WITHIN_MS);
afterAll(() => kafka.close());

describePrincipals(() => kafka);
describeCut(() => kafka);
describeLosses(() => kafka);
// It is one of several that use this Kafka, so it is not the one to close it.
describeProvider('kafka', kafkaFeatures, () => Promise.resolve({ ...kafka, close: () => Promise.resolve() }));
