export { type Scope, type TokenEntry, tokenHash, tokenOwners } from './auth.ts';
export { type ApiServer, type BodyOptions, parseServerBody, parseStoredEntry, patchEntry } from './body.ts';
export { diffServers, type ServerChange, type ServerDiff } from './diff.ts';
export { nameProblem } from './entry.ts';
export type { ListChange } from './file-servers.ts';
export { ConfigFiles, environmentPattern } from './files.ts';
export {
  type Converted,
  convertForeign,
  type ForeignServer,
  isForeign,
  type Question,
  unanswered,
} from './foreign/index.ts';
export { entryJsonSchema } from './json-schema.ts';
export { type Loaded, type LoadOptions, loadConfig, type Settings } from './load.ts';
export { defaultPortRange, type PortRange } from './port-range.ts';
export { type Finding, invalidConfig, type Parsed, type Problem, pathText, problemText } from './problem.ts';
export { dangers, isObject, type RawObject } from './raw.ts';
export { registeredSpec } from './registered.ts';
export type { Reload } from './reload.ts';
export { serverNamePattern } from './schema.ts';
export { type ReadSecret, secretReader } from './secret-file.ts';
export {
  type EntryStore,
  ServerList,
  type ServerListOptions,
} from './server-list.ts';
export { FileWatch, type FileWatchOptions } from './watch.ts';
