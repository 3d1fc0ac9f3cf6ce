import { Counter, type Registry } from 'prom-client';

/** Makes counters in a registry. */
export function counterIn(registry: Registry) {
  return <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter<L>({ name, help, labelNames, registers: [registry] });
}
