/**
 * What an operator wrote down about the world: who may declare, which agents, tools and datasets exist, where they live.
 * Types only: files are read in `libs/policy`, so that the revoker can entitle senders without a policy engine.
 */
export interface Catalogue {
  /** SHA-256 over the canonical catalogue, `sha256:<hex>`. */
  digest: string;
  orchestrators: ReadonlyMap<string, OrchestratorEntry>;
  operators: ReadonlyMap<string, OperatorEntry>;
  agents: ReadonlyMap<string, AgentEntry>;
  tools: ReadonlyMap<string, ToolEntry>;
  datasets: ReadonlyMap<string, DatasetEntry>;
  targets: ReadonlyMap<string, TargetEntry>;
}

export interface OrchestratorEntry {
  /** SPIFFE id. */
  id: string;
  groups: string[];
  owner: string;
  tenant: string;
  /** SPIFFE ids of the agents it may name. */
  agents: string[];
  /** Datasets it may declare. */
  datasets: string[];
  /** Domains of principals whose word it may give without their token: `corp.example` covers `user:maria@corp.example`. */
  mayAssert: string[];
  /** Limits of a task that declares none. */
  limits: { maxCalls: number; maxRows: number; maxCallsPerMinute?: number | undefined };
  maxConcurrentTasks: number;
}

export type Role = 'operator' | 'approver' | 'auditor';
export interface OperatorEntry {
  /** SPIFFE id, or a person: `user:olga@corp.example`. */
  id: string;
  roles: Role[];
  /** Of approvers: what tools and datasets ask for. */
  groups?: string[];
  /** Of auditors and operators: whose entries of the log they may read; absent: of all tenants. */
  tenants?: string[] | undefined;
}

export interface AgentEntry {
  /** SPIFFE id. */
  id: string;
  groups: string[];
  owner: string;
  environment: string;
  attested: boolean;
  /** 0 (none) to 100; policy says what for. */
  trust?: number;
  /** Models that it may run, any version of one without; absent: any. */
  models?: { name: string; version?: string | undefined }[] | undefined;
  maxConcurrentTasks: number;
}

export interface ToolEntry {
  id: string;
  groups: string[];
  /** 0 (harmless) to 100. */
  risk: number;
  external: boolean;
  /** `none`: the tool has no dataset, and `callTool` alone decides. */
  dataset: 'required' | 'none';
  actions: string[];
  /** Of a tool without a dataset: id in `targets.yaml` of its own target, of kind `jwt`. */
  target?: string;
  /** SPIFFE ids of tool or verifier identities that may report `tool.completed`. */
  verifiers: string[];
  /** Groups of whom one may approve a call with it; absent or empty: any approver may. */
  approvers?: string[];
}

export interface DatasetEntry {
  id: string;
  /** Whom to ask about it: who can get at it without a lease is told with this name. */
  owner?: string | undefined;
  domains: string[];
  classification: 'public' | 'internal' | 'confidential' | 'restricted';
  residency: string;
  pii: boolean;
  /** Id in `targets.yaml`. */
  target: string;
  /** Groups of whom one may approve a call on it; absent or empty: any approver may. */
  approvers?: string[];
  /** For each action, the names at the target that carry its rights (`postgres`: policy roles, `jwt`: actions, `redis`: selectors, `kafka`: single ACLs), and Cedar's action. */
  actions: ReadonlyMap<string, { rights: string[]; cedar: 'readDataset' | 'writeDataset' }>;
}

/** Where the credential of a call is made, and the names there of what it may do. Null where nothing is made for such a call. */
export function targetOf(
  call: { tool: string; dataset?: string | undefined; action: string },
  { tools, datasets, targets }: Catalogue,
): { target: TargetEntry; rights: string[] } | null {
  const dataset = datasets.get(call.dataset ?? '');
  const tool = tools.get(call.tool);
  const target = targets.get((call.dataset === undefined ? tool?.target : dataset?.target) ?? '');
  const own = target?.provider === 'jwt' && tool?.actions.includes(call.action) === true;
  const rights =
    call.dataset === undefined
      ? own
        ? [call.action]
        : undefined
      : dataset?.actions.get(call.action)?.rights;
  return target === undefined || rights === undefined ? null : { target, rights };
}

/** All names of rights that datasets lend at a target. */
export const rightsAt = ({ datasets }: Pick<Catalogue, 'datasets'>, targetId: string): string[] => [
  ...new Set(
    [...datasets.values()]
      .filter(({ target }) => target === targetId)
      .flatMap(({ actions }) => [...actions.values()].flatMap(({ rights }) => rights)),
  ),
];

interface AnyTarget {
  id: string;
  /** The longest lease this target allows. */
  maxTtlMs: number;
}
export type TargetEntry = AnyTarget &
  (
    | { provider: 'postgres' }
    | { provider: 'redis' }
    | { provider: 'kafka' }
    /** `audience`: the one service that a token is for, as a URI. */
    | { provider: 'jwt'; audience: string }
  );
