"""From answers to bytes, and what faults do to them on the way."""

import asyncio
import contextlib
import json
import socket
import struct
from typing import Any, Final

from aiohttp import web
import orjson

from .faults import ROW_FAULTS, Fault, spoil_rows
from .replies import PAGE, Reply

JSON: Final = "application/json"
_PIECES: Final = 20
_CELLS_AT_ONCE: Final = 10_000


def encoded(data: Any) -> bytes:
    """Return data as JSON, in pieces, so that other threads get their turn."""
    if not isinstance(data, list) or not data or not isinstance(data[0], dict):
        return orjson.dumps(data)
    some = max(_CELLS_AT_ONCE // len(data[0]), 1)
    pieces = (
        orjson.dumps(data[begin : begin + some])[1:-1]
        for begin in range(0, len(data), some)
    )
    return b"[" + b",".join(pieces) + b"]"


def is_short(reply: Reply) -> bool:
    """Return whether the loop may write it itself: a thread would take it longer."""
    data = reply.data
    if not isinstance(data, list) or not data or not isinstance(data[0], dict):
        return True
    return len(data) * len(data[0]) < _CELLS_AT_ONCE


def body_of(reply: Reply, fault: Fault | None) -> tuple[bytes, str]:
    """Return body and content type of a reply that a fault may spoil."""
    data = reply.data
    if reply.page:
        return str(data).encode(), "text/html"
    if fault is None:
        return encoded(data), JSON
    if fault.kind in ROW_FAULTS:
        if isinstance(data, list) and data and isinstance(data[0], dict):
            data = spoil_rows(fault.kind, data)
        return json.dumps(data).encode(), JSON
    if fault.kind == "html":
        return (fault.body or PAGE).encode(), "text/html"
    return _spoiled(data, fault), JSON


def _spoiled(data: Any, fault: Fault) -> bytes:
    body = encoded(data)
    match fault.kind:
        case "truncated":
            return body[: len(body) // 2]
        case "wrong_type":
            other = [data] if isinstance(data, dict) else {"data": data}
            return fault.body.encode() if fault.body else encoded(other)
        case "huge":
            return b"[" + b"0," * (fault.size // 2) + b"0]"
        case "deep":
            return b"[" * fault.size + b"]" * fault.size
        case "empty_body":
            return b""
        case "empty_list":
            return b"[]"
        case "error_object":
            return (fault.body or '{"error": "Internal error"}').encode()
        case _:
            return body


def refused(fault: Fault, request: web.Request) -> web.Response:
    """Return the answer of a "status" or "redirect" fault."""
    if fault.kind == "redirect":
        status = fault.status if 300 <= fault.status < 400 else 307
        location = fault.location or request.path_qs
        return web.Response(status=status, headers={"Location": location})
    body = fault.body
    if body is None:
        body = json.dumps({"status": fault.status, "message": "Fault"})
    kind = "text/html" if body.lstrip().startswith("<") else JSON
    return web.Response(
        status=fault.status, headers=dict(fault.headers), text=body, content_type=kind
    )


async def send_in_part(
    request: web.Request, fault: Fault, body: bytes
) -> web.StreamResponse:
    """Send a body slowly, or half of it before the connection is reset."""
    response = web.StreamResponse(headers={"Content-Type": JSON})
    response.content_length = len(body)
    await response.prepare(request)
    if fault.kind == "reset":
        await response.write(body[: len(body) // 2])
        await asyncio.sleep(0.02)
        drop(request)
        return response
    size = max(len(body) // _PIECES, 1)
    for begin in range(0, len(body), size):
        await asyncio.sleep((fault.delay or 1.0) / _PIECES)
        await response.write(body[begin : begin + size])
    await response.write_eof()
    return response


def drop(request: web.Request) -> None:
    """Close the connection at once, with a reset."""
    if (transport := request.transport) is None:
        return
    if (sock := transport.get_extra_info("socket")) is not None:
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
