import { call } from './api.mjs';

/** Lines of a table of servers, states and URLs; the reason in place of the URL where a server failed. */
export function serverTable(servers) {
  const rows = servers.map(({ name, state, url, reason }) => [
    name,
    state,
    reason === null ? url : state === 'disabled' ? reason.message : reasonText(reason),
  ]);
  const all = [['SERVER', 'STATE', 'URL'], ...rows];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column].length)));
  return all.map(([name, state, rest]) => `${name.padEnd(widths[0])}  ${state.padEnd(widths[1])}  ${rest}`);
}

function reasonText({ code, message, stderr }) {
  const last = stderr?.filter((line) => line.trim()).at(-1);
  return `${code}: ${message}${last ? ` (${last.trim()})` : ''}`.replaceAll('\n', ' ');
}

/**
 * A line that calls a tool and works when pasted, or null where no server is ready.
 * @param {{url: string, token: string, tokenPath: string}} stack
 */
export async function exampleCall(stack, servers) {
  const ready = servers.filter(({ state }) => state === 'ready');
  const server = ready.find(({ name }) => name === 'everything') ?? ready[0];
  if (server === undefined) return null;
  const { body } = await call(stack, 'GET', `/api/v1/servers/${server.name}/tools`);
  const tools = body?.tools ?? [];
  const tool =
    tools.find(({ name }) => name === 'echo') ??
    tools.find(({ inputSchema }) => !inputSchema?.required?.length);
  if (tool === undefined) return null;
  const data = tool.name === 'echo' ? '{"message": "hello"}' : '{}';
  // Without configured tokens anybody on this machine may call; with them the line has to carry one.
  const isOpen = (await call({ url: stack.url }, 'GET', '/api/v1/servers')).status === 200;
  const auth = isOpen ? '' : ` -H "authorization: Bearer $(cat ${stack.tokenPath})"`;
  return `curl -s${auth} -H 'content-type: application/json' -d '${data}' ${stack.url}/api/v1/servers/${server.name}/tools/${tool.name}`;
}
