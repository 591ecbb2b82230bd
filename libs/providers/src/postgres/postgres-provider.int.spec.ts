import { describeProvider } from '../provider.contract.js';
import { openSampleTarget } from './sample-target.contract.js';

describeProvider('postgres', () => openSampleTarget('spa'));
