/** What of a declaration may stand in a leaf, however it is told. */
export const lineage = { each: { of: { taskId: 'plain', generation: 'plain' } } } as const;
export const declared = {
  each: { of: { tool: 'plain', dataset: 'plain', actions: { each: 'plain' }, agents: { each: 'id' } } },
} as const;

export const toldDeclaration = {
  orchestrator: 'id',
  agents: { each: 'id' },
  declared,
  deadline: 'plain',
  risk: 'plain',
  lineage,
  policySet: 'plain',
} as const;

/** Reasons of problems are constant text of ours. */
export const declarationRefused = {
  code: 'plain',
  reason: 'sealed',
  problems: { each: { of: { code: 'plain', reason: 'plain' } } },
  policies: { each: 'plain' },
  policySet: 'plain',
  inputs: 'digest',
} as const;
