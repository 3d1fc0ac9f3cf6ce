export * from './restart-policy.ts';
export { RetryBudget } from './retry-budget.ts';
export { type RetryVerdict, retryVerdict } from './retry-rule.ts';
