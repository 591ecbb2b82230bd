import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { anySignal } from './any-signal.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Whether it comes, where garbage is collected meanwhile. */
async function comes(signal: AbortSignal): Promise<boolean> {
  const aborted = once(signal, 'abort').then(() => true);
  for (let n = 0; n < 4; n += 1) {
    await sleep(20);
    collectGarbage();
  }
  return Promise.race([aborted, sleep(200, false)]);
}

describe('a signal that follows others', () => {
  it('hears of a timeout that nobody else holds', async () => {
    const signal = anySignal(AbortSignal.timeout(60), new AbortController().signal);
    expect(await comes(signal)).toBe(true);
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('hears of it through another', async () => {
    const inner = () => anySignal(new AbortController().signal, AbortSignal.timeout(60));
    expect(await comes(anySignal(inner(), new AbortController().signal))).toBe(true);
  });

  it('is aborted at once where one of them is', () => {
    expect(anySignal(AbortSignal.timeout(60_000), AbortSignal.abort('over'))).toMatchObject({
      aborted: true,
      reason: 'over',
    });
  });
});
