/** Policies as a larger organisation has them, beside the sample's: most speak of one team and its data, a few of everything. */
const KINDS = [
  ...Array.from({ length: 12 }, () => readOwnData),
  ...Array.from({ length: 4 }, () => useOwnTools),
  ...Array.from({ length: 3 }, () => guardOwnData),
  guardEverything,
];

/** The same every time. */
export const morePolicies = (count) =>
  Array.from({ length: count }, (_, n) => KINDS[n % KINDS.length](n)).join('\n');

const named = (n, reason) => `@id("more.${n}") @reason("${reason}")`;

function readOwnData(n) {
  return `${named(n, 'a team may read its own data')} @ttl("300")
permit (principal in Mayfly::AgentGroup::"team-${n}", action == Mayfly::Action::"readDataset", resource in Mayfly::Domain::"domain-${n}");`;
}

function useOwnTools(n) {
  return `${named(n, 'a team may use its own tools by day')} @ttl("300")
permit (principal in Mayfly::AgentGroup::"team-${n}", action == Mayfly::Action::"callTool", resource in Mayfly::ToolGroup::"tools-${n}")
when { context.now.at.toTime() >= duration("7h") };`;
}

function guardOwnData(n) {
  return `${named(n, 'data of this kind is not written by a task of high risk')}
forbid (principal, action == Mayfly::Action::"writeDataset", resource in Mayfly::Domain::"domain-${n}")
when { context.task.risk == "high" && context.task.depth > 0 };`;
}

function guardEverything(n) {
  return `${named(n, 'this purpose was retired')}
forbid (principal, action in Mayfly::Action::"agentAction", resource)
when { context.task.purpose == "retired purpose ${n}" };`;
}
