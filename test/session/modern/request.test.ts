import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { type ErrorCode, GantryError } from '../../../orchestrator/kernel/index.ts';
import { decodeHeaderValue } from '../../../orchestrator/session/modern/header-value.ts';
import { checkParamHeaders } from '../../../orchestrator/session/modern/param-headers.ts';
import { type HeaderOf, readModernRequest } from '../../../orchestrator/session/modern/request.ts';
import { headersFor, modernRequest } from './modern-request.ts';

function fails(t: ExecutionContext, act: () => unknown, code: ErrorCode): GantryError {
  const error = t.throws(act, { instanceOf: GantryError }) as GantryError;
  t.is(error?.code, code);
  return error;
}

const none: HeaderOf = () => null;

test('a request whose headers agree with its body is read', (t) => {
  const message = modernRequest(
    1,
    'tools/call',
    { name: 'grüße' },
    { capabilities: { roots: {} }, logLevel: 'info' },
  );
  const request = readModernRequest(message, headersFor(message));
  t.like(request, { id: 1, method: 'tools/call', capabilities: { roots: {} }, logLevel: 'info' });
});

test('a request without the required _meta fields is invalid, not mismatched', (t) => {
  const headerOf = headersFor(modernRequest(1, 'tools/list'));
  for (const _meta of [
    undefined,
    {},
    { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
    {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': [],
    },
    { 'io.modelcontextprotocol/protocolVersion': 7, 'io.modelcontextprotocol/clientCapabilities': {} },
  ]) {
    const message = { kind: 'request', id: 1, method: 'tools/list', params: { _meta } } as const;
    fails(t, () => readModernRequest(message, headerOf), 'invalid_params');
  }
});

test('version, method and name must be the same in header and body, and present', (t) => {
  const message = modernRequest(1, 'resources/read', { uri: 'test://a' });
  const right = headersFor(message);
  for (const header of ['MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name']) {
    for (const value of [null, 'something else', '=?base64?*?=']) {
      const headerOf: HeaderOf = (name) => (name === header ? value : right(name));
      t.is(fails(t, () => readModernRequest(message, headerOf), 'header_mismatch').detail.header, header);
    }
  }
});

test('an unknown revision is refused with the supported ones', (t) => {
  const message = modernRequest(1, 'tools/list', {}, { version: '2027-01-01' });
  const error = fails(t, () => readModernRequest(message, headersFor(message)), 'unsupported_version');
  t.deepEqual(error.detail, { supported: ['2026-07-28'], requested: '2027-01-01' });
});

test('every text survives its way through an encoded header, and a broken encoding is told', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      fc.pre(text.isWellFormed());
      t.is(decodeHeaderValue(`=?base64?${Buffer.from(text).toString('base64')}?=`), text);
    }),
  );
  t.is(decodeHeaderValue('plain'), 'plain');
  for (const broken of ['=?base64?a?=', '=?base64?ab cd?=', '=?base64?/w==?='])
    t.is(decodeHeaderValue(broken), null);
});

test('an argument that the schema wants in a header must be there, and say the same', (t) => {
  const tool = {
    inputSchema: {
      properties: { region: { 'x-mcp-header': 'Region' }, n: { 'x-mcp-header': 'N' }, other: {} },
    },
  };
  const given: HeaderOf = (name) =>
    ({ 'Mcp-Param-Region': '=?base64?w7w=?=', 'Mcp-Param-N': '5' })[name] ?? null;
  t.notThrows(() => checkParamHeaders(tool, { region: 'ü', n: 5, other: 'x' }, given));
  t.notThrows(() => checkParamHeaders(tool, {}, none));
  t.notThrows(() => checkParamHeaders(undefined, { region: 'x' }, none));
  fails(t, () => checkParamHeaders(tool, { region: 'ü', n: 6 }, given), 'header_mismatch');
  fails(t, () => checkParamHeaders(tool, { region: 'ü' }, given), 'header_mismatch');
  fails(t, () => checkParamHeaders(tool, { region: 'ü' }, none), 'header_mismatch');
});
