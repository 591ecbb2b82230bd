import { pack } from './pack.js';

it('puts byte strings behind one another, and says where each is', () => {
  const packed = pack([Buffer.from('ab'), null, Buffer.alloc(0), new Uint8Array([255])]);
  expect(packed).toEqual({
    bytes: Buffer.from([0x61, 0x62, 0xff]),
    from: [1, 3, 3, 3],
    lengths: [2, null, 0, 1],
  });
});

it('packs nothing', () => {
  expect(pack([])).toEqual({ bytes: Buffer.alloc(0), from: [], lengths: [] });
});
