import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupError } from './failure.mjs';

/** What an error shows of a failed command's output. */
const SHOWN_LINES = 15;

let logPath = null;
let log = null;

/** From now on every command and its output go to this file as well, so that a failure can be looked into. */
export function logTo(path) {
  mkdirSync(dirname(path), { recursive: true });
  logPath = path;
  log = createWriteStream(path, { mode: 0o600 });
}

/**
 * Runs a command and collects its output. Never rejects: a program that does not exist counts as code 127.
 * @param {string[]} command
 * @param {{cwd?: string, env?: Record<string, string>, input?: string, timeoutMs?: number, signal?: AbortSignal, onLine?: (line: string) => void, isSecret?: boolean}} [options]
 *   `isSecret`: what it prints to stdout is not written to the log, which people show to others
 * @returns {Promise<{code: number, stdout: string, output: string}>} `output` holds stdout and stderr as they came
 */
export function attempt(command, { cwd, env, input, timeoutMs, signal, onLine, isSecret = false } = {}) {
  log?.write(`$ ${command.join(' ')}\n`);
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      signal,
    });
    const timer = timeoutMs && setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let stdout = '';
    let output = '';
    const take = (text, isShown = true) => {
      output += text;
      if (isShown) log?.write(text);
      if (onLine) for (const line of text.split('\n')) if (line.trim()) onLine(line.trim());
    };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      take(text, !isSecret);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => take(text));
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, stdout: '', output: error.message });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, stdout, output });
    });
    // A command that ends early closes its stdin; its exit code tells more than the broken pipe would.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/**
 * Runs a command that has to succeed.
 * @param {string} failure what did not work, in the user's words
 * @returns {Promise<string>} its stdout
 * @throws SetupError with the last lines of its output
 */
export async function run(failure, command, options) {
  const { code, stdout, output } = await attempt(command, options);
  if (code === 0) return stdout;
  const lines = output.trimEnd().split('\n').slice(-SHOWN_LINES);
  const more = logPath === null ? '' : `\nThe whole output is in ${logPath}.`;
  throw new SetupError(
    `${failure}: \`${shorten(command.join(' '))}\` ended with code ${code}.\n${lines.join('\n')}${more}`,
  );
}

/** Whether a program of this name can be run. */
export async function hasProgram(name) {
  return (await attempt(['sh', '-c', 'command -v "$0"', name])).code === 0;
}

const shorten = (text) => (text.length > 100 ? `${text.slice(0, 99)}…` : text);
