/** Nothing that was tampered with is let through, and nothing makes the verifier fall over. */
import fc from 'fast-check';
import { OTHER_KEY } from '../../identity/test/fixtures.js';
import type { RequestToCheck } from './verifier.js';
import { accessToken, claims, dpop, request, verifierWith } from './verifier-world.contract.js';

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('');

/** One edit of a text, as somebody would make who has only the text. */
const edit = fc.record({
  kind: fc.constantFrom('replace', 'insert', 'delete', 'truncate', 'repeat', 'swap'),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  text: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...BASE64URL) },
    fc.constantFrom('.', '=', ' ', ',', '\0', '\r\n', 'é', '+', '/'),
  ),
});
type Edit = { kind: string; at: number; text: string };

function edited(whole: string, { kind, at, text }: Edit): string {
  const i = Math.floor(at * whole.length);
  const [before, after] = [whole.slice(0, i), whole.slice(i + 1)];
  const here = whole[i] ?? '';
  switch (kind) {
    case 'replace':
      return before + text + after;
    case 'insert':
      return before + text + here + after;
    case 'delete':
      return before + after;
    case 'truncate':
      return before;
    case 'repeat':
      return before + here + here + after;
    default:
      return before + (after[0] ?? '') + here + after.slice(1);
  }
}

const notTaken = async (asked: RequestToCheck) => {
  const verdict = await verifierWith().check(asked);
  expect(verdict.ok).toBe(false);
  if (!verdict.ok) expect(verdict.code).toMatch(/^ERR_(TOKEN|DPOP|ACT|ARGUMENTS)_[A-Z_]+$/);
};

it.each([
  ['as a thief would bring it, with the proof that came with it', 5_500, 'stolen'],
  ['as its holder would bring it, with a proof for what was made of it', 500, 'made anew'],
])('takes no token with edits, %s: %i of them', async (_how, numRuns, proof) => {
  const honest = await request();
  const token = (honest.authorization ?? '').slice('DPoP '.length);
  const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(edits, async (all) => {
      const forged = all.reduce(edited, token);
      fc.pre(forged !== token);
      const proven = proof === 'stolen' ? honest.dpop : await dpop(forged);
      await notTaken({ ...honest, authorization: `DPoP ${forged}`, dpop: proven });
    }),
    { numRuns, seed: 20261124 },
  );
});

it('takes no proof with edits: 4,000 of them', async () => {
  const honest = await request();
  const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(edits, async (all) => {
      const forged = all.reduce(edited, String(honest.dpop));
      fc.pre(forged !== honest.dpop);
      await notTaken({ ...honest, dpop: forged });
    }),
    { numRuns: 4_000, seed: 20261124 },
  );
});

it('takes no claims, however well they look, that the issuer did not sign', async () => {
  const names = Object.keys(await claims());
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.jsonValue(), async (name, value) => {
      const token = await accessToken({ [name]: value }, { key: OTHER_KEY });
      await notTaken(await request({ token }));
    }),
    { numRuns: 500, seed: 20261124 },
  );
});

it('takes no claim of another form from the issuer itself', async () => {
  const bound = ['iss', 'aud', 'cnf', 'authorization_details', 'act', 'lineage', 'exp', 'iat'];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...bound), fc.jsonValue(), async (name, value) => {
      // A number of seconds may be one at which it is valid.
      fc.pre(typeof value !== 'number');
      await notTaken(await request({ token: await accessToken({ [name]: value }) }));
    }),
    { numRuns: 500, seed: 20261124 },
  );
});

it('takes nothing in place of a request, and does not fall over', async () => {
  const members = ['method', 'url', 'authorization', 'dpop', 'tool', 'action'] as const;
  const token = await accessToken();
  const proof = await dpop(token);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...members),
      fc.oneof(fc.jsonValue(), fc.string(), fc.constant(undefined), fc.array(fc.string())),
      async (member, value) => {
        const honest = await request({ token, dpop: proof });
        fc.pre(value !== honest[member]);
        await notTaken({ ...honest, [member]: value });
      },
    ),
    { numRuns: 2_000, seed: 20261124 },
  );
});

it('compares any arguments without falling over', async () => {
  const token = await accessToken({ arguments_sha256: '0'.repeat(64) });
  await fc.assert(
    fc.asyncProperty(fc.anything(), async (given) => notTaken(await request({ token, arguments: given }))),
    { numRuns: 300, seed: 20261124 },
  );
});
