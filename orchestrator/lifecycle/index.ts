export type { ContainerVerb } from './containers.ts';
export { type EraMemory, MemoryEraMemory } from './eras/era-memory.ts';
export { ensureBridgeImage } from './images/bridge-image.ts';
export { Images, type ImagesOptions, type Pins } from './images/images.ts';
export type { PreparedImage } from './images/prepared-image.ts';
export { Mesh } from './mesh.ts';
export type { MeshMemory } from './mesh-memory.ts';
export type { MeshOptions } from './mesh-options.ts';
export type { MeshServerView } from './server-view.ts';
