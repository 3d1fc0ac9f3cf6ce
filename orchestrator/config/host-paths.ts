/** What a client's entry says to a program of npm or Python is about the client's machine, so a path there is one of the host. */
export const HOST_PATH =
  'is a path of the host, which a container does not see: write the server in the form of Gantry, with data:';

/** Every replica has a /tmp and a /dev of its own, so these mean the same inside. */
export function isHostPath(text: string): boolean {
  const value = text.replace(/^--?[A-Za-z][\w-]*=/, '');
  if (/^\/(tmp|dev)(\/|$)/.test(value) && !value.includes('..')) return false;
  return /^(\/|~(\/|$)|\.{1,2}([/\\]|$)|[A-Za-z]:[\\/]|file:)/.test(value);
}

/** `${TOKEN}`, `${workspaceFolder}` … */
export const PLACEHOLDER =
  'has a placeholder in $ and braces that nobody fills in here: write the value itself';

export function hasPlaceholder(text: string): boolean {
  return text.includes('${');
}
