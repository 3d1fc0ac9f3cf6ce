export type { ContainerVerb } from './containers.ts';
export { ensureBridgeImage } from './images/bridge-image.ts';
export { Images, type ImagesOptions, type Pins } from './images/images.ts';
export type { PreparedImage } from './images/prepared-image.ts';
export { Mesh, type MeshOptions } from './mesh.ts';
