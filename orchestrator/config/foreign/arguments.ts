import type { Path } from '../problem.ts';
import type { Input, Questions } from './questions.ts';
import type { ServerJsonArgument, ServerJsonRemote, ServerJsonVariable } from './server-json-schema.ts';

/** One text of a command line or of the environment, and where it comes from. */
export type Token = { readonly text: string; readonly at: Path; readonly isSecret: boolean };

/** The arguments of a package as its program gets them. Those that are left out, or have no answer yet, are missing. */
export function argumentTokens(
  given: readonly ServerJsonArgument[],
  at: Path,
  questions: Questions,
): readonly Token[] {
  return given.flatMap((argument, index): readonly Token[] => {
    const path = [...at, index];
    const token = (text: string, isSecret = false): Token => ({ text, at: path, isSecret });
    if (argument.type === 'named') {
      if (isFlag(argument)) return [token(argument.name)];
      // Asked for by its name alone: `city` for `--city`.
      const id = argument.name.replace(/^-+/, '');
      const { texts, isSecret } = textsOf(id, argument, path, questions);
      return texts.flatMap((text) => optionTokens(argument, token, text, isSecret));
    }
    if (argument.value === undefined && argument.valueHint === undefined) {
      questions.findings.push({ path, message: 'needs a value, or a valueHint to be asked for by' });
      return [];
    }
    const { texts, isSecret } = textsOf(argument.valueHint ?? '', argument, path, questions);
    return texts.map((text) => token(text, isSecret));
  });
}

/** A boolean one is there or not, as `--verbose`; any other has its value as the next argument. */
function optionTokens(
  argument: Extract<ServerJsonArgument, { type: 'named' }>,
  token: (text: string, isSecret?: boolean) => Token,
  text: string,
  isSecret: boolean,
): readonly Token[] {
  if (argument.format !== 'boolean') return [token(argument.name), token(text, isSecret)];
  return text === 'true' ? [token(argument.name)] : [];
}

/** Nothing says that it has a value, so it has none: `-i`. */
function isFlag(argument: Extract<ServerJsonArgument, { type: 'named' }>): boolean {
  const says = ['value', 'default', 'choices', 'format', 'placeholder', 'isRequired', 'isSecret'] as const;
  return says.every((key) => argument[key] === undefined) && argument.isRepeated !== true;
}

/** Variables of the environment, or headers, that have a value, by name. */
export function namedTokens(
  given: readonly ServerJsonVariable[],
  at: Path,
  questions: Questions,
): ReadonlyMap<string, Token> {
  const tokens = new Map<string, Token>();
  for (const [index, variable] of given.entries()) {
    const path = [...at, index];
    if (tokens.has(variable.name)) {
      questions.findings.push({ path: [...path, 'name'], message: 'is the name of an earlier entry' });
    }
    const { texts, isSecret } = textsOf(variable.name, variable, path, questions);
    const [text] = texts;
    if (text !== undefined) tokens.set(variable.name, { text, at: path, isSecret });
  }
  return tokens;
}

/** An address, in which every variable is needed. */
export function addressOf(
  { url, variables }: ServerJsonRemote,
  at: Path,
  questions: Questions,
): Token | null {
  const { texts, isSecret } = textsOf('', { value: url, variables, isRequired: true }, at, questions);
  const [text] = texts;
  return text === undefined ? null : { text, at, isSecret };
}

type WithVariables = Pick<ServerJsonVariable, 'value' | 'variables' | 'isRequired' | 'isSecret'> & Input;

/**
 * A value that the document has is not the user's to choose, but for the `{variables}` in it. Braces that name none stay
 * as they are.
 */
function textsOf(
  id: string,
  input: WithVariables,
  at: Path,
  questions: Questions,
): { readonly texts: readonly string[]; readonly isSecret: boolean } {
  const { value, variables = {}, isSecret = false } = input;
  if (value === undefined) return { texts: questions.ask(id, input, at), isSecret };
  const used = [...value.matchAll(/\{([^{}]+)\}/g)].map(([, name = '']) => name);
  const known = new Map<string, string>();
  let isSecretInside = isSecret;
  for (const name of new Set(used.filter((one) => Object.hasOwn(variables, one)))) {
    const variable = variables[name] ?? {};
    // Without it the whole would be half of a value: what needs the whole needs the variable.
    const isRequired = variable.isRequired === true || input.isRequired === true;
    const text =
      variable.value ?? questions.ask(name, { ...variable, isRequired }, [...at, 'variables', name])[0];
    if (text === undefined) return { texts: [], isSecret: isSecretInside };
    isSecretInside ||= variable.isSecret === true;
    known.set(name, text);
  }
  const text = value.replace(/\{([^{}]+)\}/g, (whole, name: string) => known.get(name) ?? whole);
  return { texts: [text], isSecret: isSecretInside };
}
