/** Tells of a new version of some folders once it has been left alone between two looks, and of each version once. */
import { folderState, type FolderState } from './folder-state.js';

export class FolderWatch<Name extends string> {
  /** Signatures: as the folders looked last, and as they were when they were tried last. */
  #looked: string;
  #tried: string;

  /** @param seen how they looked before the version that is in use was read */
  constructor(
    private readonly folders: Readonly<Record<Name, string>>,
    seen: Readonly<Record<Name, FolderState>>,
  ) {
    this.#looked = this.#tried = signatureOf(seen);
  }

  /** @returns how each looks, where there is something to try. */
  async look(): Promise<Record<Name, FolderState> | undefined> {
    const states = await folderStates(this.folders);
    const signature = signatureOf(states);
    // One that still changes is being written: half of a version may load, and lack the guard that comes with its permits.
    const isStill = signature === this.#looked;
    this.#looked = signature;
    return isStill && signature !== this.#tried ? states : undefined;
  }

  /**
   * Has them be tried no more until they change. Call it once they have been read.
   * @returns false where they changed meanwhile: what was read may be half of a version, and is to be forgotten.
   */
  async isRead(states: Readonly<Record<Name, FolderState>>): Promise<boolean> {
    const signature = signatureOf(states);
    if (signatureOf(await folderStates(this.folders)) !== signature) return false;
    this.#tried = signature;
    return true;
  }
}

export async function folderStates<Name extends string>(
  folders: Readonly<Record<Name, string>>,
): Promise<Record<Name, FolderState>> {
  const names = Object.keys(folders) as Name[];
  const states = await Promise.all(names.map(async (name) => [name, await folderState(folders[name])]));
  return Object.fromEntries(states) as Record<Name, FolderState>;
}

const signatureOf = (states: Readonly<Record<string, FolderState>>): string =>
  Object.values(states)
    .map(({ signature }) => signature)
    .join('\n\n');
