import { open, mkdir, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { v4 as uuidV4 } from 'uuid';
import { CliError } from './failure.js';

/** A file of its owner's alone (mode 0600): written beside its place first, so that it appears whole, or not at all. */
export class PrivateFile {
  private constructor(
    private readonly path: string,
    private readonly draft: string,
    private readonly handle: FileHandle,
  ) {}

  /** @throws CliError ERR_CLI_FILE when nothing can be written there. */
  static async create(path: string): Promise<PrivateFile> {
    const draft = `${path}.${uuidV4()}`;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return new PrivateFile(path, draft, await open(draft, 'wx', 0o600));
    } catch (cause) {
      throw new CliError('ERR_CLI_FILE', `\`${path}\` cannot be written`, { cause });
    }
  }

  /** Puts the text in place, over what was there. */
  async keep(text: string): Promise<void> {
    await this.handle.writeFile(text);
    await this.handle.sync();
    await rename(this.draft, this.path);
  }

  /** MUST be called; without `keep` before it, nothing stays. */
  async close(): Promise<void> {
    await this.handle.close();
    await rm(this.draft, { force: true });
  }
}
