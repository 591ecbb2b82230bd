/** What the how-to on policies tells to write and to run is written and run here, in its order, and answers as the page says. */
import { itAnswersAsTold } from '../test/support/told-steps.js';

itAnswersAsTold(
  'leads from the sample to a dataset with a rule and its tests',
  'docs/how-to/write-a-policy.md',
  10,
);
