import { armFaultPoints, FaultPointError } from './fault-point.js';

/** @returns the code of what was thrown; null if nothing was. */
function arming(asked: string, environment?: string): string | null {
  try {
    armFaultPoints({ MAYFLY_FAULT_POINTS: asked, MAYFLY_ENV: environment });
    return null;
  } catch (error) {
    if (error instanceof FaultPointError) return error.code;
    throw error;
  }
}

describe('fault points', () => {
  afterEach(() => armFaultPoints({}));

  it.each([undefined, 'production', 'test'])('are refused where MAYFLY_ENV is %s', (environment) => {
    expect(arming('cut.fenced', environment)).toBe('ERR_FAULT_POINTS_UNSAFE');
  });

  it.each(['cut.fenced', 'cut.fenced:3', 'create.before, create.after:2'])(
    'can be asked for as %s',
    (asked) => {
      expect(arming(asked, 'development')).toBeNull();
    },
  );

  it.each(['cut', 'cut.nowhere', 'cut.fenced:0', 'cut.fenced:-1', 'cut.fenced,', 'cut.fenced:1:2'])(
    'are not made of %s',
    (asked) => {
      expect(arming(asked, 'development')).toBe('ERR_FAULT_POINTS_INVALID');
    },
  );

  it('are not armed where nothing is asked for, whatever the environment', () => {
    expect(arming('', 'production')).toBeNull();
    expect(() => armFaultPoints({ MAYFLY_ENV: 'production' })).not.toThrow();
  });
});
