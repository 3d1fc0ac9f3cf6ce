import type * as z from 'zod';
import { didYouMean } from './nearest.ts';
import type { Finding, Path } from './problem.ts';

/**
 * Keys of an entry with several kinds of values whose inner problems are told. Not `env`: what is wrong inside may be a secret, and
 * problems of single values repeat them.
 */
const OPENED: readonly string[] = ['replicas'];

/** Comparing words costs time; nobody mistypes more keys than this in one place. */
const mostSuggestions = 50;

type Issue = z.core.$ZodIssue;

/** zod's findings in our words. `keysAt` names the keys that a place knows, for suggestions. */
export function findingsOf(error: z.ZodError, options: Options): Finding[] {
  return ofIssues(error.issues, options);
}

type Options = { readonly at?: Path; readonly keysAt: (path: Path) => readonly string[] };

function ofIssues(issues: readonly Issue[], options: Options): Finding[] {
  return issues.flatMap((issue) => {
    const local = issue.path.filter((part) => typeof part !== 'symbol');
    const path = [...(options.at ?? []), ...local];
    if (issue.code === 'unrecognized_keys') {
      const known = options.keysAt(local);
      return issue.keys.map((key, index): Finding => {
        const message = index < mostSuggestions ? unknownKey(key, known) : 'is not a known key.';
        return { path: [...path, key], message, at: 'key' };
      });
    }
    const isOpened =
      issue.code === 'invalid_union' && local.length === 1 && OPENED.includes(String(local[0]));
    const meant = isOpened ? meantOf(issue.errors) : null;
    if (meant !== null)
      return ofIssues(meant, { at: path, keysAt: (inner) => options.keysAt([...local, ...inner]) });
    if (issue.code === 'invalid_key')
      return [{ path, message: 'is not a name that can be used here', at: 'key' }];
    return [{ path, message: messageOf(issue) }];
  });
}

/** The alternative of a value that its kind fits, whose problems are then the ones to tell; null where none or several do. */
function meantOf(alternatives: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fitting = alternatives.filter(
    (issues) => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  );
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

export function unknownKey(key: string, known: readonly string[]): string {
  const hint = didYouMean(key, known);
  return `is not a known key.${hint === '' ? ` Known here: ${known.join(', ')}` : hint}`;
}

function messageOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeMessage(issue.expected, issue.input);
    case 'invalid_value': {
      const values = issue.values.map(String);
      const written = typeof issue.input === 'string' ? didYouMean(issue.input, values) : '';
      return `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}.${written}`;
    }
    case 'too_small':
      return `must be at least ${issue.minimum}${countOf(issue.origin)}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${countOf(issue.origin)}`;
    case 'invalid_format':
      return issue.format === 'regex' && String(issue.pattern).includes('{64}')
        ? 'must be 64 hex digits'
        : 'is not written in the right form';
    default:
      return issue.message;
  }
}

function countOf(origin: string): string {
  return origin === 'array' ? ' long' : '';
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
};

function typeMessage(expected: string, input: unknown): string {
  const wanted = `must be ${kinds[expected] ?? expected}`;
  if (input === undefined) return 'is required';
  if (input === null) return `${wanted}; it is empty`;
  if (expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')) {
    return `${wanted}: put it in quotes, "${input}"`;
  }
  return wanted;
}
