/** Which partitions are whose: a function of the group's members alone, so that all of them come to the same answer. Pure. */
export interface Member {
  id: string;
  topics: readonly string[];
}
export interface Place {
  topic: string;
  partition: number;
}

/** Deals each topic's partitions out in turn to the members that subscribe it, beginning where the topic before it ended. */
export function assigned(
  me: string,
  members: readonly Member[],
  partitions: ReadonlyMap<string, number>,
): Place[] {
  const mine: Place[] = [];
  let turn = 0;
  for (const topic of [...partitions.keys()].sort()) {
    const readers = members.filter(({ topics }) => topics.includes(topic)).map(({ id }) => id);
    readers.sort();
    for (let partition = 0; partition < (partitions.get(topic) ?? 0); partition += 1) {
      if (readers[turn++ % readers.length] === me) mine.push({ topic, partition });
    }
  }
  return mine;
}
