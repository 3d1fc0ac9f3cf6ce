import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { messageOf } from '../kernel/index.ts';
import { type Finding, type Problem, problemAt } from './problem.ts';

/** Far beyond any list of servers; bounds what a wrong file can cost. */
const longestCharacters = 1024 * 1024;
/** Anchors are welcome, bombs are not: `yaml` counts how often aliases would be expanded. */
const mostAliases = 100;

/** A parsed file that still knows where everything stands. */
export type YamlText = {
  readonly value: unknown;
  /** Problems of YAML itself; with any of them `value` is null. */
  readonly problems: readonly Problem[];
  /** Gives a finding its line and column. */
  locate(finding: Finding): Problem;
};

export function readYaml(text: string): YamlText {
  const lines = new LineCounter();
  const whole = (message: string): YamlText => {
    const problem = problemAt({ path: [], message }, { line: 1, column: 1 });
    return { value: null, problems: [problem], locate: () => problem };
  };
  if (text.length > longestCharacters) return whole('is over 1 MiB');
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      stringKeys: true,
      prettyErrors: false,
      logLevel: 'error',
    });
    const problems = [...document.errors, ...document.warnings].map((error) =>
      problemAt({ path: [], message: firstLine(error.message) }, place(lines, error.pos[0])),
    );
    const value = problems.length > 0 ? null : document.toJS({ maxAliasCount: mostAliases });
    const locate = (finding: Finding): Problem =>
      problemAt(finding, place(lines, offsetOf(document.contents, finding)));
    return { value, problems, locate };
  } catch (error) {
    // Unknown aliases, alias bombs and nesting deeper than the stack are thrown, not listed.
    return whole(`cannot be read: ${firstLine(messageOf(error))}`);
  }
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Walks down as far as the path goes; a missing key is reported where it would belong. */
function offsetOf(root: Node | null, { path, at }: Finding): number {
  let node: Node | null = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    if (isAlias(node)) return offset;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) return offset;
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      offset = key.range?.[0] ?? offset;
      if (depth === path.length - 1 && at !== 'key' && isLeaf(value)) offset = value.range?.[0] ?? offset;
      node = value;
    } else if (isSeq(node) && typeof part === 'number') {
      const item = node.items[part] as Node | undefined;
      if (item === undefined) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
}

/** Of a block the key is the better place to point at: its value begins on the next line. */
function isLeaf(node: Node | null): node is Node {
  return (
    node !== null &&
    (isScalar(node) ? node.range !== undefined && node.range?.[0] !== node.range?.[1] : isAlias(node))
  );
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}
