import type { ClientMessage } from '../../session/index.ts';

/** W3C Trace Context, section 3.2: version ff and ids of zeros only are invalid. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
/** The least that W3C Trace Context (3.3.1.1) and W3C Baggage (3.3.2) want passed on. */
const MAX_TRACESTATE = 512;
const MAX_BAGGAGE = 8192;

/**
 * Carries the trace of the HTTP request to the server, under the names that MCP reserves in `_meta`. What the body
 * says itself is never overwritten; a state belongs to its parent, so it travels only with that.
 */
export function withTraceContext(
  message: ClientMessage,
  headerOf: (name: string) => string | null,
): ClientMessage {
  if (message.kind !== 'request') return message;
  if (headerOf('traceparent') === null && headerOf('baggage') === null) return message;
  const given = message.params?._meta;
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) {
    return message;
  }
  const meta: Record<string, unknown> = { ...given };
  const added = { ...traceOf(meta, headerOf), ...baggageOf(meta, headerOf) };
  if (Object.keys(added).length === 0) return message;
  return { ...message, params: { ...message.params, _meta: { ...meta, ...added } } };
}

/** The trace that a header of W3C Trace Context names; null where it names none. */
export function traceIdOf(traceparent: string): string | null {
  return TRACEPARENT.test(traceparent) ? (traceparent.split('-')[1] ?? null) : null;
}

function traceOf(meta: object, headerOf: (name: string) => string | null): Record<string, string> {
  const traceparent = headerOf('traceparent');
  if ('traceparent' in meta || 'tracestate' in meta) return {};
  if (traceparent === null || !TRACEPARENT.test(traceparent)) return {};
  const tracestate = headerOf('tracestate');
  const hasState = tracestate !== null && tracestate.length <= MAX_TRACESTATE;
  return hasState ? { traceparent, tracestate } : { traceparent };
}

function baggageOf(meta: object, headerOf: (name: string) => string | null): Record<string, string> {
  const baggage = headerOf('baggage');
  return 'baggage' in meta || baggage === null || baggage.length > MAX_BAGGAGE ? {} : { baggage };
}
