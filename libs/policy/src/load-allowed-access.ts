/**
 * `standing-access.yaml` beside the catalogue's files: accounts at the targets that may be there without a lease, why, and until when nobody has to
 * look at them again. The file may be missing: then none may.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { validate } from '#config/validate.js';
import { YamlFile } from '#config/yaml-file.js';
import type { AllowedAccess } from '#events/standing-access.js';

export const ALLOWED_ACCESS_FILE = 'standing-access.yaml';

/** As the target spells it. */
const principal = z.string().min(1).max(256);
const reason = z
  .string()
  .trim()
  .min(1)
  .max(512)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'expected one line');
const day = z
  .string('expected a day, such as 2027-10-31')
  .regex(/^\d{4}-\d\d-\d\d$/, 'expected a day, such as 2027-10-31')
  .refine(isDay, 'there is no such day');

const schema = z
  .array(
    z.strictObject({
      target: z.string().min(1).max(128),
      principal,
      reason,
      review: day,
    }),
  )
  .max(10_000);

/**
 * @param targets ids of the catalogue
 * @throws ConfigError naming file, line and key: an unknown key, a bad value, a target that there is not, an account given twice
 */
export async function loadAllowedAccess(dir: string, targets: ReadonlySet<string>): Promise<AllowedAccess[]> {
  const file = join(dir, ALLOWED_ACCESS_FILE);
  if ((await stat(file).catch(isMissing)) === null) return [];
  const yaml = await YamlFile.read(file);
  const entries = yaml.tree === null ? [] : validate(yaml, {}, schema);
  const seen = new Set<string>();
  entries.forEach(({ target, principal: name }, index) => {
    if (!targets.has(target))
      throw yaml.error('ERR_CONFIG_INVALID', [index, 'target'], 'unknown', {
        wantedIn: join(dir, 'targets.yaml'),
      });
    const key = JSON.stringify([target, name]);
    if (seen.has(key)) throw yaml.error('ERR_CONFIG_INVALID', [index, 'principal'], 'given twice');
    seen.add(key);
  });
  return entries;
}

/** What is there and cannot be read is an error of its own. */
const isMissing = (error: unknown) => ((error as NodeJS.ErrnoException).code === 'ENOENT' ? null : undefined);

function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}
