export * from './restart-policy.ts';
