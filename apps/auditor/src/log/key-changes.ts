/** Which keys sign is seen from the checkpoints: a change of them is an entry, and its checkpoint stands in it. */
import { KEY_ADDED, KEY_RETIRED, type KeyChange } from '../leaf/own-entry.js';

export interface SignedNote {
  /** Its number among the log's checkpoints. */
  n: bigint;
  note: string;
  /** The public keys that signed. */
  vkeys: readonly string[];
}

/** @param before the keys of the checkpoint before; undefined where that is not known, or there was none */
export function keyChanges(
  before: readonly string[] | undefined,
  signed: readonly SignedNote[],
): KeyChange[] {
  let known = before;
  return signed.flatMap(({ n, note, vkeys }) => {
    const [old, now] = [known ?? vkeys, vkeys];
    known = vkeys;
    const change = (type: KeyChange['type']) => (vkey: string) => ({ type, vkey, keys: now, note, n });
    return [
      ...now.filter((vkey) => !old.includes(vkey)).map(change(KEY_ADDED)),
      ...old.filter((vkey) => !now.includes(vkey)).map(change(KEY_RETIRED)),
    ];
  });
}
