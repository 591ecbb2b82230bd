/**
 * What an operator wrote down about the world: who may declare, which agents, tools and datasets exist, where they live.
 * Types only: files are read in `libs/policy`, so that the revoker can entitle senders without a policy engine.
 */
import type { ProviderKind } from './outbound.js';

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
  limits: { maxCalls: number; maxRows: number };
  maxConcurrentTasks: number;
}

export type Role = 'operator' | 'approver' | 'auditor';
export interface OperatorEntry {
  /** SPIFFE id. */
  id: string;
  roles: Role[];
}

export interface AgentEntry {
  /** SPIFFE id. */
  id: string;
  groups: string[];
  owner: string;
  environment: string;
  attested: boolean;
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
  /** SPIFFE ids of tool or verifier identities that may report `tool.completed`. */
  verifiers: string[];
}

export interface DatasetEntry {
  id: string;
  domains: string[];
  classification: 'public' | 'internal' | 'confidential' | 'restricted';
  residency: string;
  pii: boolean;
  /** Id in `targets.yaml`. */
  target: string;
  /** For each action, the names at the target that carry its rights (for `postgres`: policy roles), and Cedar's action. */
  actions: ReadonlyMap<string, { rights: string[]; cedar: 'readDataset' | 'writeDataset' }>;
}

export interface TargetEntry {
  id: string;
  provider: ProviderKind;
  /** The longest lease this target allows. */
  maxTtlMs: number;
}
