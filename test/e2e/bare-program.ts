import { dockerInside, type Json, standingContainer } from './harness.ts';

/** Runs inside the container: starts the program, says the messages, prints what it says until the last one is answered. */
const CONVERSATION = `
const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const [command, messages] = process.argv.slice(1).map((text) => JSON.parse(text));
const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'ignore'] });
for (const message of messages) child.stdin.write(JSON.stringify(message) + '\\n');
const last = messages.findLast((message) => message.id !== undefined).id;
createInterface({ input: child.stdout }).on('line', (line) => {
  console.log(line);
  try {
    const { id, method } = JSON.parse(line);
    if (id === last && method === undefined) child.kill();
  } catch {
    // Not a message: the programs that are asked here print others too.
  }
});
`;

/**
 * What a server's own program prints on stdout when it is spoken to without Gantry in between: another process of it, in
 * the container it runs in.
 */
export async function spokenBare(server: string, messages: readonly Json[]): Promise<readonly string[]> {
  const { id } = await standingContainer(server);
  const format = '[{{json .Path}},{{json .Args}}]';
  const [path, args] = JSON.parse(await dockerInside('inspect', '--format', format, id)) as [
    string,
    string[],
  ];
  // Before `--` stands Gantry's own first process, where the container has it.
  const program = [path, ...args].slice(path.endsWith('/gantry-init') ? args.indexOf('--') + 2 : 0);
  const words = ['node', '-e', CONVERSATION, JSON.stringify(program), JSON.stringify(messages)];
  return (await dockerInside('exec', id, ...words)).trimEnd().split('\n');
}
