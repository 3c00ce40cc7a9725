"""Batch requests: up to 50 calls in one multipart/mixed POST, each with headers of its own (facts §13)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

from sandbox.api.answering import Answer, Request, answer
from sandbox.ground.errors import GoogleError, bad_request
from sandbox.state.world import World

MOST_CALLS = 50
REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden"}


@dataclass(frozen=True)
class Part:
    """One call of a batch, with the Content-ID that its answer must name."""

    content_id: str | None
    request: Request


def answer_batch(
    world: World, content_type: str, raw: bytes, outer: dict[str, str]
) -> tuple[str, bytes, list[Answer]]:
    """The content type and body of the answer, and the answers themselves. Raises 400."""
    with world.lock:
        world.log.batches += 1
        number = world.log.batches
    parts = read_parts(content_type, raw, outer, number)
    answers = [answer(world, part.request) for part in parts]
    boundary = "batch_" + secrets.token_urlsafe(16)
    pieces = [_write(part, one, boundary) for part, one in zip(parts, answers, strict=True)]
    body = b"".join(pieces) + f"--{boundary}--\r\n".encode()
    return f"multipart/mixed; boundary={boundary}", body, answers


def read_parts(content_type: str, raw: bytes, outer: dict[str, str], number: int) -> list[Part]:
    """The calls of a batch. Raises 400 for something else, or for more than 50."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/mixed" or not isinstance(boundary, str):
        raise bad_request("Failed to parse batch request: no multipart/mixed boundary.")
    chunks = (b"\r\n" + raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")).split(
        b"\r\n--" + boundary.encode()
    )
    inner = [chunk for chunk in chunks[1:] if not chunk.startswith(b"--")]
    if len(inner) > MOST_CALLS:
        raise bad_request(f"The batch request has too many calls: at most {MOST_CALLS}.")
    return [_read(chunk, outer, number) for chunk in inner]


def _read(chunk: bytes, outer: dict[str, str], number: int) -> Part:
    mime, _, http = chunk.lstrip(b"\r\n").partition(b"\r\n\r\n")
    line_and_headers, _, body = http.partition(b"\r\n\r\n")
    line, _, header_text = line_and_headers.partition(b"\r\n")
    words = line.decode().split(" ")
    if len(words) < 2:
        raise bad_request("Failed to parse batch request: no request line.")
    headers = {name.lower(): value for name, value in BytesHeaderParser().parsebytes(header_text).items()}
    if "authorization" not in headers and "authorization" in outer:
        headers["authorization"] = outer["authorization"]
    content_id = BytesHeaderParser().parsebytes(mime).get("Content-ID")
    return Part(content_id, Request(words[0], words[1], headers, body.rstrip(b"\r\n"), number))


def _write(part: Part, one: Answer, boundary: str) -> bytes:
    mime = f"--{boundary}\r\nContent-Type: application/http\r\n"
    if part.content_id:
        # `<x + 3>` must keep its form: the Python client reads the number after " + ".
        mime += f"Content-ID: <response-{part.content_id.strip().removeprefix('<').removesuffix('>')}>\r\n"
    body = one.payload()
    status = f"HTTP/1.1 {one.status} {REASONS.get(one.status, 'Error')}\r\n"
    headers = "Content-Type: application/json; charset=UTF-8\r\n"
    headers += "".join(f"{name}: {value}\r\n" for name, value in one.headers.items())
    headers += f"Content-Length: {len(body)}\r\n\r\n"
    return f"{mime}\r\n{status}{headers}".encode() + body + b"\r\n"


def refusal_answer(refusal: GoogleError) -> Answer:
    """The answer when the batch as a whole is refused."""
    return Answer(refusal.status, refusal.body(), refusal.headers)
