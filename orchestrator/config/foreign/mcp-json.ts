import * as z from 'zod';
import { findingsOf } from '../issues.ts';
import { convertMcpServer } from '../mcp-servers.ts';
import type { Finding, Path } from '../problem.ts';
import { isObject, type RawObject } from '../raw.ts';
import type { ForeignServer } from './foreign-server.ts';
import type { Input, Questions } from './questions.ts';

const Asked = z.strictObject({
  type: z.enum(['promptString', 'pickString']),
  id: z.string().min(1),
  description: z.string().optional(),
  default: z.string().optional(),
  password: z.boolean().optional(),
  options: z.array(z.string()).optional(),
});
const Inputs = z.array(Asked).default([]);

/** What an editor notes beside a server and nothing about how it is run. */
const NOTES = ['gallery', 'version'];

/**
 * A document in the shape of VS Code (`servers`, with `inputs` that the user is asked for) or of desktop clients
 * (`mcpServers`).
 */
export function convertMcpJson(
  document: RawObject,
  questions: Questions,
): { readonly servers: readonly ForeignServer[]; readonly findings: readonly Finding[] } {
  const key = Object.hasOwn(document, 'servers') ? 'servers' : 'mcpServers';
  const findings: Finding[] = Object.keys(document)
    .filter((other) => ![key, 'inputs', 'answers', '$schema'].includes(other))
    .map((other) => ({ path: [other], message: `does not go together with ${key}`, at: 'key' }));
  const inputs = readInputs(document.inputs, findings);
  const written = document[key];
  if (!isObject(written) || Object.keys(written).length === 0) {
    return {
      servers: [],
      findings: [...findings, { path: [key], message: 'must be a map from names to servers' }],
    };
  }
  const servers = Object.entries(written).flatMap(([name, raw]): ForeignServer[] => {
    const at = [key, name];
    const filled = new Filled(inputs, questions, findings);
    const { entry, findings: problems } = convertMcpServer(filled.server(raw, at));
    findings.push(...problems.map((finding) => ({ ...finding, path: [...at, ...finding.path] })));
    const { secretEnv, secretHeaders, secretArgs } = filled;
    return entry === null ? [] : [{ name, nameAt: at, at, entry, secretEnv, secretHeaders, secretArgs }];
  });
  return { servers, findings: [...findings, ...questions.findings] };
}

type Inputs = ReadonlyMap<string, { readonly input: Input; readonly at: Path }>;

function readInputs(raw: unknown, findings: Finding[]): Inputs {
  const result = Inputs.safeParse(raw, { reportInput: true });
  if (!result.success) {
    const told = findingsOf(result.error, { keysAt: () => Object.keys(Asked.shape) });
    findings.push(...told.map((finding) => ({ ...finding, path: ['inputs', ...finding.path] })));
    return new Map();
  }
  const inputs = new Map<string, { input: Input; at: Path }>();
  for (const [index, { id, description, default: preset, password, options }] of result.data.entries()) {
    const at = ['inputs', index];
    if (inputs.has(id)) findings.push({ path: [...at, 'id'], message: 'is the id of an earlier input' });
    const input = { description, default: preset, isRequired: true, isSecret: password, choices: options };
    inputs.set(id, { input, at });
  }
  return inputs;
}

/** A server whose `${input:id}` are answered; what has no answer yet stays out of it, and is asked for. */
class Filled {
  readonly secretEnv: string[] = [];
  readonly secretHeaders: string[] = [];
  readonly secretArgs: Path[] = [];
  readonly #inputs: Inputs;
  readonly #questions: Questions;
  readonly #findings: Finding[];

  constructor(inputs: Inputs, questions: Questions, findings: Finding[]) {
    this.#inputs = inputs;
    this.#questions = questions;
    this.#findings = findings;
  }

  server(raw: unknown, at: Path): unknown {
    if (!isObject(raw)) return raw;
    const said = Object.fromEntries(Object.entries(raw).filter(([key]) => !NOTES.includes(key)));
    const { args, env, url, headers } = said;
    if (url !== undefined) said.url = this.#text(url, [...at, 'url'], this.secretArgs);
    if (Array.isArray(args)) {
      said.args = args.map((arg, index) => this.#text(arg, [...at, 'args', index], this.secretArgs));
    }
    if (isObject(env)) said.env = this.#texts(env, [...at, 'env'], this.secretEnv);
    if (isObject(headers)) said.headers = this.#texts(headers, [...at, 'headers'], this.secretHeaders);
    return said;
  }

  #texts(values: RawObject, at: Path, secretNames: string[]): RawObject {
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        const secrets: Path[] = [];
        const text = this.#text(value, [...at, name], secrets);
        if (secrets.length > 0) secretNames.push(name);
        return [name, text];
      }),
    );
  }

  #text(value: unknown, at: Path, secrets: Path[]): unknown {
    if (typeof value !== 'string') return value;
    return value.replace(/\$\{input:([^}]*)\}/g, (_, id: string) => {
      const known = this.#inputs.get(id);
      if (known === undefined) {
        this.#findings.push({ path: at, message: `there is no input "${id}"` });
        return '';
      }
      if (known.input.isSecret === true) secrets.push(at);
      return this.#questions.ask(id, known.input, known.at)[0] ?? '';
    });
  }
}
