const ENCODED = /^=\?base64\?(.*)\?=$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text that a header stands for: names that are not plain ASCII, or are padded, come as `=?base64?…?=`
 * (MCP 2026-07-28, transports). Null when the encoding is broken.
 */
export function decodeHeaderValue(value: string): string | null {
  const encoded = ENCODED.exec(value)?.[1];
  if (encoded === undefined) return value;
  if (!BASE64.test(encoded)) return null;
  try {
    return strictUtf8.decode(Buffer.from(encoded, 'base64'));
  } catch {
    return null; // not UTF-8
  }
}
