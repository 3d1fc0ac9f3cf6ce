import { type Finding, type Path, type Problem, problemAt } from './problem.ts';
import { dangers, isObject, type RawObject } from './raw.ts';
import { readYaml, type YamlText } from './yaml-text.ts';

/** A file by the name that users see, and what it says. */
export type ConfigText = { readonly file: string; readonly text: string };

/** gantry.yaml with the file of an environment laid over it. */
export type Layers = {
  /** What both say together; null with any problem. */
  readonly value: RawObject | null;
  /** What gantry.yaml says alone. */
  readonly base: RawObject | null;
  readonly problems: readonly Problem[];
  /** Gives a finding its file, line and column. @param inBase whether gantry.yaml alone has the same one */
  locate(finding: Finding, inBase: boolean): Problem;
};

/** As deep as anything may be nested (`dangers`): aliases can make a document that refers to itself. */
const maxDepth = 32;

export function readLayers(base: ConfigText, overlay: ConfigText | null): Layers {
  const layers = [base, ...(overlay === null ? [] : [overlay])].map(readLayer);
  const [lower, upper] = layers;
  const problems = layers.flatMap((layer) => layer.problems);
  const locate = (finding: Finding, inBase: boolean): Problem => {
    const isUpper = upper !== undefined && belongsTo(finding.path, lower?.value, upper.value, inBase);
    const layer = isUpper ? upper : lower;
    return layer === undefined ? problemAt(finding, null) : layer.locate(finding);
  };
  if (problems.length > 0 || lower === undefined) return { value: null, base: null, problems, locate };
  const value = upper === undefined ? lower.value : merged(lower.value, upper.value);
  return { value, base: lower.value, problems: [], locate };
}

type Layer = Pick<YamlText, 'locate' | 'problems'> & { readonly value: RawObject };

function readLayer({ file, text }: ConfigText): Layer {
  const yaml = readYaml(text);
  const locate = (finding: Finding): Problem => ({ ...yaml.locate(finding), file });
  if (yaml.problems.length > 0) {
    return { value: {}, problems: yaml.problems.map((problem) => ({ ...problem, file })), locate };
  }
  const value = yaml.value ?? {};
  if (!isObject(value)) {
    const problem = locate({ path: [], message: 'must be a map with keys such as servers:' });
    return { value: {}, problems: [problem], locate };
  }
  return { value, problems: dangers(value).map(locate), locate };
}

/** Keys merge, null takes away, everything else replaces (RFC 7396). A section without content says nothing. */
function merged(lower: RawObject, upper: RawObject): RawObject {
  const said = Object.entries(upper).filter(([, value]) => value !== null);
  return laid(lower, Object.fromEntries(said), 0) as RawObject;
}

function laid(lower: unknown, upper: unknown, depth: number): unknown {
  if (!isObject(upper) || depth > maxDepth) return upper;
  const result = new Map(isObject(lower) ? Object.entries(lower) : []);
  for (const [key, value] of Object.entries(upper)) {
    if (value === null) result.delete(key);
    else result.set(key, laid(result.get(key), value, depth + 1));
  }
  return Object.fromEntries(result);
}

/** Whether the upper file is where a user should look. */
function belongsTo(path: Path, lower: unknown, upper: unknown, inBase: boolean): boolean {
  const [below, above] = [reach(lower, path), reach(upper, path)];
  if (above.depth !== below.depth) return above.depth > below.depth;
  // Both have it: a value of the upper one won, and of two maps the one that brought the problem counts.
  return isObject(above.node) ? !inBase : above.depth === path.length;
}

/** How far into a document a path goes, and what is there. */
function reach(value: unknown, path: Path): { readonly depth: number; readonly node: unknown } {
  let node = value;
  for (const [depth, part] of path.entries()) {
    const isThere = typeof node === 'object' && node !== null && Object.hasOwn(node, part);
    if (!isThere) return { depth, node };
    node = (node as Record<string | number, unknown>)[part];
  }
  return { depth: path.length, node };
}
