import type { Finding, Path } from '../problem.ts';

/** What a user says to the questions of a document, by their id. Several texts where an argument may be repeated. */
export type Answers = ReadonlyMap<string, string | readonly string[]>;

/** A value that a document leaves to whoever runs the server. */
export type Question = {
  readonly id: string;
  /** Where it stands. */
  readonly at: Path;
  readonly description: string | null;
  /** One that is not may be left without an answer. */
  readonly isRequired: boolean;
  readonly isSecret: boolean;
  readonly isRepeated: boolean;
  readonly choices: readonly string[];
};

/** An input as both formats have it. */
export type Input = {
  readonly description?: string | undefined;
  readonly default?: string | undefined;
  readonly isRequired?: boolean | undefined;
  readonly isSecret?: boolean | undefined;
  readonly isRepeated?: boolean | undefined;
  readonly choices?: readonly string[] | undefined;
  readonly format?: 'string' | 'number' | 'boolean' | 'filepath' | undefined;
};

/** Answers the questions of one document, and keeps those that have no answer. */
export class Questions {
  readonly #answers: Answers;
  readonly #asked = new Set<string>();
  readonly #open = new Map<string, Question>();
  readonly findings: Finding[] = [];

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /** Those that a user can still answer, required ones and secrets. */
  get open(): readonly Question[] {
    return [...this.#open.values()];
  }

  /** Answers to questions that nothing asks: a typing error would silently not hold. */
  get needless(): readonly string[] {
    return [...this.#answers.keys()].filter((id) => !this.#asked.has(id));
  }

  /** @returns its texts; none where it is left out, or has no answer yet */
  ask(id: string, input: Input, at: Path): readonly string[] {
    this.#asked.add(id);
    const given = this.#answers.get(id);
    const texts = (typeof given === 'string' ? [given] : (given ?? [])).filter((text) => text !== '');
    if (texts.length > 1 && input.isRepeated !== true) {
      this.findings.push({ path: ['answers', id], message: 'takes one value' });
    }
    for (const text of texts) this.#check(text, input, ['answers', id]);
    if (texts.length > 0) return texts;
    if (input.default !== undefined) {
      this.#check(input.default, input, [...at, 'default']);
      return [input.default];
    }
    const isOpen = input.isRequired === true || (input.isSecret === true && given === undefined);
    if (isOpen && !this.#open.has(id)) this.#open.set(id, questionOf(id, input, at));
    return [];
  }

  #check(text: string, { choices = [], format }: Input, path: Path): void {
    if (choices.length > 0 && !choices.includes(text)) {
      this.findings.push({ path, message: `must be one of ${choices.join(', ')}` });
    } else if (format === 'number' && (text.trim() === '' || !Number.isFinite(Number(text)))) {
      this.findings.push({ path, message: 'must be a number' });
    } else if (format === 'boolean' && text !== 'true' && text !== 'false') {
      this.findings.push({ path, message: 'must be true or false' });
    }
  }
}

function questionOf(id: string, input: Input, at: Path): Question {
  return {
    id,
    at,
    description: input.description ?? null,
    isRequired: input.isRequired === true,
    isSecret: input.isSecret === true,
    isRepeated: input.isRepeated === true,
    choices: input.choices ?? [],
  };
}

/** A question that nobody is there to answer, as a problem. */
export function unanswered({ id, at, isSecret, description }: Question): Finding {
  const about = description === null ? '' : ` (${description})`;
  const kind = isSecret ? 'required and secret' : 'required';
  return { path: at, message: `${id}${about} is ${kind}: give it as answers.${id}` };
}
