import type { Finding, Path } from '../problem.ts';
import { isObject, type RawObject } from '../raw.ts';
import type { ForeignServer } from './foreign-server.ts';
import { convertMcpJson } from './mcp-json.ts';
import { type Answers, type Question, Questions } from './questions.ts';
import { convertServerJson } from './server-json.ts';

export type { ForeignServer } from './foreign-server.ts';
export { type Answers, type Question, unanswered } from './questions.ts';

/** What became of a document of another format. */
export type Converted = {
  /** In Gantry's own form, still to be checked as every entry is. Not to be used while anything required is open. */
  readonly servers: readonly ForeignServer[];
  /** What it leaves to the user: required values, and secrets that may be left out. */
  readonly questions: readonly Question[];
  readonly findings: readonly Finding[];
};

/**
 * Whether something is a document of another format rather than an entry: `server.json` of the MCP registry (alone, or as
 * its API answers it), `mcp.json` of VS Code, or `mcpServers` of desktop clients.
 */
export function isForeign(document: RawObject): boolean {
  return (
    ['mcpServers', 'servers', 'packages', 'remotes'].some((key) => Object.hasOwn(document, key)) ||
    isObject(document.server)
  );
}

/**
 * Converts such a document. `answers` in it answers its questions, by their id; `as` gives the server of a `server.json`
 * another name than its own. All problems at once, each with its path in the document.
 */
export function convertForeign(document: RawObject): Converted {
  const findings: Finding[] = [];
  const answers = readAnswers(document.answers, findings);
  const made =
    Object.hasOwn(document, 'mcpServers') || Object.hasOwn(document, 'servers')
      ? fromMcpJson(document, answers)
      : fromServerJson(document, answers, findings);
  const needless = made.questions.needless.map((id) => ({
    path: ['answers', id],
    message: 'is asked for by nothing in this document',
  }));
  return {
    servers: made.servers,
    questions: made.questions.open,
    findings: [...findings, ...made.findings, ...(made.servers.length > 0 ? needless : [])],
  };
}

type Made = {
  readonly servers: readonly ForeignServer[];
  readonly questions: Questions;
  readonly findings: readonly Finding[];
};

function fromMcpJson(document: RawObject, answers: Answers): Made {
  const questions = new Questions(answers);
  return { ...convertMcpJson(document, questions), questions };
}

function fromServerJson(document: RawObject, answers: Answers, findings: Finding[]): Made {
  const { answers: _answers, as, ...alone } = document;
  if (as !== undefined && typeof as !== 'string')
    findings.push({ path: ['as'], message: 'must be a string' });
  const isWrapped = isObject(alone.server);
  const at: Path = isWrapped ? ['server'] : [];
  const name = typeof as === 'string' ? as : null;
  const {
    server,
    questions,
    findings: told,
  } = convertServerJson(isWrapped ? alone.server : alone, at, name, () => new Questions(answers));
  const named = server !== null && name !== null ? { ...server, nameAt: ['as'] } : server;
  return { servers: named === null ? [] : [named], questions, findings: told };
}

function readAnswers(raw: unknown, findings: Finding[]): Answers {
  if (raw === undefined) return new Map();
  if (!isObject(raw)) {
    findings.push({ path: ['answers'], message: 'must be a map from questions to texts' });
    return new Map();
  }
  const answers = new Map<string, string | readonly string[]>();
  for (const [id, value] of Object.entries(raw)) {
    const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
    if (typeof value === 'string' || isList) answers.set(id, value);
    else findings.push({ path: ['answers', id], message: 'must be a text, or a list of texts' });
  }
  return answers;
}
