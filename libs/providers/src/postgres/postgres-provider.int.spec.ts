import { describeProvider } from '../provider.contract.js';
import { openSampleTarget } from './sample-target.contract.js';

const features = { asksServer: true, knowsPrincipals: true, keepsSessions: true, refusesLateCreate: true };

describeProvider('postgres', features, () => openSampleTarget('spa'));
