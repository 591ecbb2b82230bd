import { migrateAsOwner } from './migrate-as-owner.js';

const ownerUrl = process.env.DATABASE_URL ?? '';
const owner = decodeURIComponent(new URL(ownerUrl).username);
const as = (role: string) => Object.assign(new URL(ownerUrl), { username: role }).href;

it.each([
  ['the owner as the auditor', owner, 'a_signer', 'the auditor must not run as the owner of its tables'],
  [
    'the owner as the signer',
    'an_auditor',
    owner,
    'the signer must have a role of its own: database.signerRole',
  ],
  [
    'the auditor as the signer',
    'an_auditor',
    'an_auditor',
    'the signer must have a role of its own: database.signerRole',
  ],
  [
    'a signer that there is not',
    'an_auditor',
    'nobody_at_all',
    'there is no role of the signer: create database.signerRole',
  ],
])('makes no tables with %s', async (_what, auditor, signerRole, message) => {
  const settings = { url: as(auditor), ownerUrl, schema: 'never_made', signerRole };
  await expect(migrateAsOwner(settings)).rejects.toMatchObject({ code: 'ERR_AUDITOR_SET_UP', message });
});
