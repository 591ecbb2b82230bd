export function morePolicies(count: number): string;
