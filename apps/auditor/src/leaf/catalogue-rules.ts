/** What of a new version of the catalogue may stand in a leaf: names of things, of operators only pseudonyms. */
const counts = {
  of: {
    orchestrators: 'plain',
    operators: 'plain',
    agents: 'plain',
    tools: 'plain',
    datasets: 'plain',
    targets: 'plain',
  },
} as const;

const listsOf = <K extends 'plain' | 'person'>(kind: K) =>
  ({
    of: { added: { each: kind }, removed: { each: kind }, changed: { each: kind }, more: 'plain' },
  }) as const;

export const catalogueActivated = {
  catalogue: 'plain',
  previous: 'plain',
  changes: {
    of: {
      orchestrators: listsOf('plain'),
      operators: listsOf('person'),
      agents: listsOf('plain'),
      tools: listsOf('plain'),
      datasets: listsOf('plain'),
      targets: listsOf('plain'),
    },
  },
  entries: counts,
  by: 'id',
} as const;
