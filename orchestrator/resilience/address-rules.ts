import ipaddr from 'ipaddr.js';

type Address = ReturnType<typeof ipaddr.parse>;
type Network = ReturnType<typeof ipaddr.parseCIDR>;

type AddressRule = {
  /** A host by the name that URLs give it, or null. */
  readonly host: string | null;
  readonly network: Network | null;
  /** Null allows every port. */
  readonly port: number | null;
};

/** Never reached, whatever is allowed: the host's own link, everybody at once, and ways around the rules (RFC 6890). */
const NEVER = new Set([
  'unspecified',
  'broadcast',
  'multicast',
  'linkLocal',
  'discard',
  '6to4',
  'teredo',
  'rfc6052',
  'rfc6145',
]);
/** Where clouds answer with credentials, beside 169.254.169.254: Alibaba, Oracle, Azure and AWS over IPv6. */
const METADATA = ['100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254'].map((text) =>
  ipaddr.parse(text).toNormalizedString(),
);
const HOST = /^(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** Which addresses servers elsewhere may have. Nothing is allowed that no rule names. */
export class AddressRules {
  readonly #rules: readonly AddressRule[];

  /** @param texts as `readRule` takes them. @throws TypeError for one that it does not */
  constructor(texts: readonly string[]) {
    this.#rules = texts.map((text) => {
      const rule = readRule(text);
      if (typeof rule === 'string') throw new TypeError(`${text} ${rule}`);
      return rule;
    });
  }

  /**
   * @param host of the URL, as the URL standard writes it: decimal and octal forms are dotted by then
   * @param address an address that it stands for
   * @returns null where it may be reached, else why not, as the end of a sentence that begins with the address
   */
  refusal(host: string, address: string, port: number): string | null {
    if (!ipaddr.isValid(address)) return 'is not an IP address';
    const parsed = ipaddr.process(address);
    if (isNever(parsed))
      return 'is a link-local, metadata or otherwise special address, which is never reached';
    const named = host.replace(/\.$/, '');
    const isAllowed = this.#rules.some(
      (rule) =>
        (rule.port === null || rule.port === port) &&
        (rule.host === null ? rule.network !== null && isIn(parsed, rule.network) : rule.host === named),
    );
    return isAllowed ? null : 'is not listed in registry.allowedAddresses of gantry.yaml';
  }
}

/** @returns null for something that `registry.allowedAddresses` may say, else what is wrong with it. */
export function addressRuleProblem(text: string): string | null {
  const rule = readRule(text);
  return typeof rule === 'string' ? rule : null;
}

/** `10.0.0.0/8`, `10.1.2.3:8080`, `[fd00::1]:8080`, `fd00::/8`, `mcp.example.com` or `mcp.example.com:8443`. */
function readRule(text: string): AddressRule | string {
  const whole = networkOf(text);
  if (whole !== null) return { host: null, network: whole, port: null };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? null : Number(digits);
  const address = bracketed ?? plain;
  if (address === undefined || (port !== null && (port < 1 || port > 65_535))) return WRONG;
  const network = networkOf(address);
  if (network !== null) return { host: null, network, port };
  // Digits and dots alone would be an address in a form that nobody reads the same way.
  if (bracketed !== undefined || !HOST.test(address) || /^[0-9.]+$/.test(address)) return WRONG;
  return { host: address, network: null, port };
}

const WRONG =
  'must be a network, an address or a lower-case host name, with or without a port, such as 10.0.0.0/8, 10.1.2.3:8080, [fd00::1]:8080 or mcp.example.com';

function networkOf(text: string): Network | null {
  const isPlain = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
  if (isPlain) {
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  }
  return ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text)
    ? ipaddr.parseCIDR(text)
    : null;
}

function isIn(address: Address, [network, bits]: Network): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}

function isNever(address: Address): boolean {
  if (NEVER.has(address.range()) || METADATA.includes(address.toNormalizedString())) return true;
  // `::a.b.c.d`, which some systems still take for the IPv4 address in it (RFC 4291, 2.5.5.1).
  const isCompatible =
    address instanceof ipaddr.IPv6 && address.parts.slice(0, 6).every((part) => part === 0);
  return isCompatible && address.range() !== 'loopback';
}
