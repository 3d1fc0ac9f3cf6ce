export type { DockerAddress } from './docker/connection.ts';
export {
  type DockerEngine,
  type DockerEngineOptions,
  dockerEngine,
} from './docker-engine.ts';
export * from './engine.ts';
