export * from './clock.ts';
export * from './errors.ts';
export * from './facts.ts';
export * from './ids.ts';
export * from './json-rpc.ts';
export * from './reason.ts';
export * from './server-spec.ts';
