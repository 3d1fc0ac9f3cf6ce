import { GantryError } from '../../kernel/index.ts';
import { passedBefore } from '../passed-before.ts';
import { hostNameOf, isLoopback } from './loopback.ts';

/**
 * Refuses a foreign `Host`: a web page can point a name of its own at 127.0.0.1 (DNS rebinding), and then only
 * this header tells. An entry of `allowedHosts` is a host name, at any port, or `host:port`.
 * @returns a check of the header that throws GantryError host_forbidden
 */
export function hostGuard(allowedHosts: readonly string[]): (host: string | undefined) => void {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()));
  const check = passedBefore((header) => {
    const host = header.toLowerCase();
    const name = hostNameOf(host);
    if (!isLoopback(host) && (name === null || !(allowed.has(name) || allowed.has(host)))) {
      throw new GantryError(
        'host_forbidden',
        'This Host is not served here; list it under http.allowedHosts.',
      );
    }
  });
  return (host) => check(host ?? '');
}
