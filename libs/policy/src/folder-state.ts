/** What a folder of policies or of a catalogue looks like from outside: enough to see that it has changed, without reading it. */
import { readdir, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';

export interface FolderState {
  /** Another one as soon as a file is added, taken away, written or replaced. */
  signature: string;
  /** The login that owns the newest file, `os:maria`: whose change it is, as far as can be seen. Nobody checks it. */
  by: string;
}

/** Never throws: a folder that cannot be read looks like one without files. */
export async function folderState(dir: string): Promise<FolderState> {
  const paths = [
    ...(await listed(dir, /\.(cedar(schema)?|yaml)$/)),
    ...(await listed(join(dir, 'tests'), /\.yaml$/)),
  ];
  const files = (await Promise.all(paths.map(seen))).flat();
  const newest = files.reduce<Seen | undefined>(
    (one, other) => (one === undefined || other.changedNs > one.changedNs ? other : one),
    undefined,
  );
  return {
    signature: files.map(({ path, looks }) => `${path} ${looks}`).join('\n'),
    by: newest === undefined ? 'os:unknown' : loginOf(newest.uid),
  };
}

interface Seen {
  path: string;
  looks: string;
  changedNs: bigint;
  uid: number;
}

async function seen(path: string): Promise<Seen[]> {
  try {
    const { ino, size, mtimeNs, ctimeNs, uid } = await stat(path, { bigint: true });
    return [{ path, looks: `${ino} ${size} ${mtimeNs} ${ctimeNs}`, changedNs: ctimeNs, uid: Number(uid) }];
  } catch {
    return [];
  }
}

const listed = async (dir: string, names: RegExp): Promise<string[]> => {
  const found = await readdir(dir).catch(() => []);
  return found
    .filter((name) => names.test(name))
    .sort()
    .map((name) => join(dir, name));
};

function loginOf(uid: number): string {
  try {
    const own = userInfo();
    return own.uid === uid ? `os:${own.username}` : `os:uid:${uid}`;
  } catch {
    return `os:uid:${uid}`;
  }
}
