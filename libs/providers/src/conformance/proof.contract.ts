import type { CutReport } from '../provider.js';

/** Two looks in a row, made after the cut, saw no access. */
export const isProof = ({ observation, emptyObservations }: CutReport): boolean =>
  emptyObservations >= 2 &&
  observation.sessions === 0 &&
  (observation.state === 'disabled' || observation.state === 'absent');
