export * from './breaker.ts';
export * from './ejection-limit.ts';
export * from './health-policy.ts';
export * from './restart-policy.ts';
export { RetryBudget } from './retry-budget.ts';
export { type RetryVerdict, retryVerdict } from './retry-rule.ts';
