export type { DockerAddress } from './docker/connection.ts';
export {
  type DockerEngineOptions,
  dockerEngine,
  type EnginePreparation,
} from './docker-engine.ts';
export * from './engine.ts';
