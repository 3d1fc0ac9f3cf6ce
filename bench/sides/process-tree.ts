import { readdirSync, readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;

/** Resident memory of a process and all that come from it, in bytes. What they share is counted for each. */
export function treeResidentBytes(root: number): number {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid)) parents.set(pid, parentOf(pid));
  }
  let bytes = 0;
  for (const pid of parents.keys()) if (comesFrom(pid, root, parents)) bytes += residentBytes(pid);
  return bytes;
}

/** The kernel's clock ticks, in which it counts processor time. */
const TICKS_PER_SECOND = 100;

/** Processor time of one process, without its children. */
export function cpuSecondsOf(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Memory that the machine can still give, in bytes. */
export function availableBytes(): number {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return Number(kib) * 1024;
}

function comesFrom(pid: number, root: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at)) {
    if (at === root) return true;
  }
  return false;
}

function parentOf(pid: number): number {
  return Number(fieldsOf(pid)[1] ?? 0);
}

/** Those of `stat` behind the second, which is a name in brackets and may hold anything. */
function fieldsOf(pid: number): readonly string[] {
  const stat = readOf(pid, 'stat');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function residentBytes(pid: number): number {
  return Number(readOf(pid, 'statm').split(' ')[1] ?? 0) * PAGE_BYTES;
}

function readOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
