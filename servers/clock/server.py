"""A small MCP server over stdio: tells the time, and which replica answered. Standard library only.

One JSON-RPC message per line on stdin and stdout; everything meant for people goes to stderr.
"""

import json
import re
import socket
import sys
from datetime import datetime, timedelta, timezone

# Oldest first. An unknown revision is answered with the newest, as the protocol asks.
REVISIONS = ["2025-03-26", "2025-06-18", "2025-11-25"]

# The hints tell a client, and Gantry, that asking twice does no harm.
HINTS = {"readOnlyHint": True, "idempotentHint": True, "destructiveHint": False, "openWorldHint": False}

TOOLS = [
    {
        "name": "now",
        "description": "The present time in a time zone, as ISO 8601.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "timezone": {
                    "type": "string",
                    "description": "UTC (the default), an offset such as +02:00, or a name such as Europe/Berlin.",
                }
            },
            "additionalProperties": False,
        },
        "annotations": HINTS,
    },
    {
        "name": "whoami",
        "description": "The host name of the replica that answers.",
        "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
        "annotations": HINTS,
    },
]


class RpcError(Exception):
    """An answer with a JSON-RPC error."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class ToolError(Exception):
    """An answer with isError: the tool ran and has something to say about it."""


def zone_of(name):
    if name in ("UTC", "Z", "Etc/UTC"):
        return timezone.utc
    offset = re.fullmatch(r"([+-])(\d{2}):([0-5]\d)", name)
    if offset:
        sign = 1 if offset[1] == "+" else -1
        delta = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        if delta < timedelta(hours=24):
            return timezone(sign * delta)
    # ZoneInfo takes names as paths below its data directory: letters only, and nothing that climbs.
    elif re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", name):
        from zoneinfo import ZoneInfo

        try:
            return ZoneInfo(name)
        except Exception:  # zoneinfo raises KeyError, ValueError or OSError, depending on what it found there
            pass
    raise ToolError(f"Unknown time zone: {name[:64]}. Try UTC or an offset such as +02:00.")


def call_tool(params):
    name = params.get("name")
    arguments = params.get("arguments", {})
    if not isinstance(arguments, dict):
        raise RpcError(-32602, "arguments must be an object")
    if name == "whoami":
        return {"content": [{"type": "text", "text": socket.gethostname()}]}
    if name != "now":
        raise RpcError(-32602, f"Unknown tool: {str(name)[:64]}")
    zone = arguments.get("timezone", "UTC")
    try:
        if not isinstance(zone, str):
            raise ToolError("timezone must be a string")
        text = datetime.now(zone_of(zone)).isoformat(timespec="milliseconds")
    except ToolError as error:
        return {"content": [{"type": "text", "text": str(error)}], "isError": True}
    return {"content": [{"type": "text", "text": text}]}


def initialize(params):
    wanted = params.get("protocolVersion")
    return {
        "protocolVersion": wanted if wanted in REVISIONS else REVISIONS[-1],
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "clock", "version": "1.0.0"},
        "instructions": "Tells the time.",
    }


METHODS = {
    "initialize": initialize,
    "ping": lambda params: {},
    "tools/list": lambda params: {"tools": TOOLS},
    "tools/call": call_tool,
}


def is_id(value):
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def answer(line):
    """The answer to one line, or None where none is due."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return failure(None, -32700, "Parse error")
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return failure(None, -32600, "Invalid Request")
    if "method" not in message:
        return None  # an answer to a question this server never asks
    if "id" not in message:
        return None  # a notification
    ident, method, params = message["id"], message["method"], message.get("params", {})
    if not is_id(ident):
        return failure(None, -32600, "Invalid Request")
    if not isinstance(method, str) or not isinstance(params, dict):
        return failure(ident, -32600, "Invalid Request")
    if method not in METHODS:
        return failure(ident, -32601, f"Method not found: {method[:64]}")
    try:
        return {"jsonrpc": "2.0", "id": ident, "result": METHODS[method](params)}
    except RpcError as error:
        return failure(ident, error.code, str(error))


def failure(ident, code, message):
    return {"jsonrpc": "2.0", "id": ident, "error": {"code": code, "message": message}}


def main():
    print("clock: ready", file=sys.stderr, flush=True)
    # Bytes, not text: a line of broken UTF-8 is one bad line, not the end of the server.
    for raw in sys.stdin.buffer:
        if not raw.strip():
            continue
        reply = answer(raw)
        if reply is not None:
            sys.stdout.buffer.write(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(0)
