import { describeProvider } from '../provider.contract.js';
import { redisFeatures } from './redis-features.contract.js';
import { describeOwnRedis } from './redis-servers.contract.js';
import { openRedisWorld, prefixOf } from './redis-world.contract.js';

const features = redisFeatures(prefixOf('rpa'));

describeOwnRedis('a primary and a replica', () =>
  describeProvider('redis', features, () => openRedisWorld('rpa')),
);
