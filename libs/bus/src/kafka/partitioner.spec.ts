import { murmur2 } from '../murmur2.js';
import { kafkajs } from './client.js';

it('puts a key on the partition that the other bus would put it on', () => {
  const partitionMetadata = Array.from({ length: 12 }, (_, partitionId) => ({ partitionId, leader: 1 }));
  const partitioner = kafkajs.Partitioners.DefaultPartitioner();
  const keys = Array.from({ length: 500 }, (_, n) => 'schlüssel-'.repeat(n % 5) + String(n).padStart(n % 40));

  for (const key of keys) {
    const theirs = partitioner({
      topic: 't',
      partitionMetadata: partitionMetadata as never,
      message: { key, value: null },
    });
    expect((murmur2(Buffer.from(key)) & 0x7fffffff) % 12).toBe(theirs);
  }
});
