/** What is different between two policy sets, by the ids of their policies. Pure. */
export interface PolicyChanges {
  added: string[];
  removed: string[];
  changed: string[];
}

/** @param before digests of the policies by id, as `PolicySet.fingerprints` @param after the same of the later set */
export function policyChanges(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): PolicyChanges {
  const was = Object.keys(before).sort();
  const is = Object.keys(after).sort();
  return {
    added: is.filter((id) => !Object.hasOwn(before, id)),
    removed: was.filter((id) => !Object.hasOwn(after, id)),
    changed: is.filter((id) => Object.hasOwn(before, id) && before[id] !== after[id]),
  };
}
