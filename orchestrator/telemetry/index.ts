export { type Log, type LogLevel, logFacts } from './log.ts';
export { countFacts, type FactMetrics } from './metrics.ts';
