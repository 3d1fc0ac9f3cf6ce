export type { ContainerVerb } from './containers.ts';
export type { PreparedImage } from './images/prepared-image.ts';
export { type Applied, Mesh, type MeshOptions } from './mesh.ts';
export type { RestartFacts, RestartRule, RestartVerdict } from './restart-plan.ts';
