import { AnswerBoard } from './answer-board.js';
import { keyOfCall, type CallKey, type CallOutcome } from './call-rows.js';

const key = (callId: string): CallKey => ({ taskId: 'T', agent: 'A', callId });
const issued: CallOutcome = { is: 'issued', envelope: 'E' };
const NOBODY = () => Promise.resolve<(CallOutcome | null)[]>([null]);

it('tells all who wait for a call, and nobody else', async () => {
  const board = new AnswerBoard(NOBODY, fail, keyOfCall);
  const seats = [board.seat(key('1')), board.seat(key('1')), board.seat(key('2'))];
  board.tell(key('1'), issued);

  expect(await Promise.all(seats.map((seat) => seat.outcome(20)))).toEqual([issued, issued, null]);
  for (const seat of seats) seat.leave();
});

it('an outcome that came before it was waited for is not missed', async () => {
  const board = new AnswerBoard(NOBODY, fail, keyOfCall);
  const seat = board.seat(key('1'));
  board.tell(key('1'), issued);
  await new Promise((resolve) => setTimeout(resolve, 5));

  expect(await seat.outcome(5)).toEqual(issued);
  seat.leave();
});

it('looks for what others settle, in one question for all who wait, and only while somebody waits', async () => {
  const asked: string[][] = [];
  const board = new AnswerBoard(
    (keys) => {
      asked.push(keys.map(({ callId }) => callId));
      return Promise.resolve(keys.map(({ callId }) => (callId === '2' && asked.length > 1 ? issued : null)));
    },
    fail,
    keyOfCall,
  );
  const [first, second] = [board.seat(key('1')), board.seat(key('2'))];
  const waiting = first.outcome(700);

  expect(await second.outcome(5_000)).toEqual(issued);
  second.leave();
  expect(await waiting).toBeNull();
  first.leave();
  expect(asked.slice(0, 2)).toEqual([
    ['1', '2'],
    ['1', '2'],
  ]);
  const before = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 450));
  expect(asked).toHaveLength(before);
});

it('a look that fails is told, and there is another one', async () => {
  const troubles: unknown[] = [];
  const board = new AnswerBoard(
    () => (troubles.length === 0 ? Promise.reject(new Error('away')) : Promise.resolve([issued])),
    (error) => troubles.push(error),
    keyOfCall,
  );
  const seat = board.seat(key('1'));

  expect(await seat.outcome(5_000)).toEqual(issued);
  expect(troubles).toHaveLength(1);
  seat.leave();
});

it('nobody waits for a process that ends', async () => {
  const board = new AnswerBoard(NOBODY, fail, keyOfCall);
  const seat = board.seat(key('1'));
  const outcome = seat.outcome(60_000);
  await board.close();

  expect(await outcome).toBeNull();
  seat.leave();
});

function fail(error: unknown): never {
  throw error;
}
