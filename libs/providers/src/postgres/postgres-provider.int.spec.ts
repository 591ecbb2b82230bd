import { describeProvider } from '../provider.contract.js';
import { openOwnTarget, postgresFeatures } from './own-target.contract.js';

// begin kit
describeProvider('postgres', postgresFeatures, () => openOwnTarget());
// end kit
