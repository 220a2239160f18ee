"""Server-sent events, and when a provider's stream of them is complete."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .answers import first_text
from .errors import IncompleteError, ProviderError

#: The types of events that end a stream, as the providers document them; chat completions end with ``[DONE]``.
_ENDINGS = frozenset(
    {
        "message_stop",
        "response.completed",
        "response.incomplete",
        "response.failed",
        "image_generation.completed",
        "image_edit.completed",
        "speech.audio.done",
        "transcript.text.done",
    }
)
# A CR at the end may be half of a CRLF: its line waits for what comes next.
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")


@dataclass(frozen=True)
class StreamEvent:
    """An event of a provider's stream: its name, and its data parsed."""

    event: str
    data: Any


def read_events(pieces: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """
    Cuts a body into server-sent events, their names and data, as the HTML standard has it (§9.2.6). What stands after
    the last blank line is no event.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
    rest: list[str] = []
    event, data = "", list[str]()
    for piece in pieces:
        text = decoder.decode(piece)
        is_within = "\n" not in text and "\r" not in text and not (rest and rest[-1].endswith("\r"))
        if text:
            rest.append(text)
        if is_within:
            continue  # a line of megabytes is not looked through again for each of its pieces
        *lines, last = _LINE_END.split("".join(rest))
        rest = [last] if last else []
        for line in lines:
            if line:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "event":
                    event = value
                elif name == "data":
                    data.append(value)
                continue
            if data:
                yield event or "message", "\n".join(data)
            event, data = "", []


def stream_events(pieces: Iterable[bytes], *, status: int, request_id: str | None) -> Iterator[StreamEvent]:
    """
    A provider's stream as parsed events. It ends only where the provider said that it is complete.

    Raises IncompleteError where it breaks off, however that looks on the wire; ProviderError for an error in it.
    """
    is_complete = False
    for event, data in read_events(pieces):
        if data == "[DONE]":
            return
        parsed = _parse(data)
        error = _error_in(parsed)
        if error is not None:
            raise ProviderError(
                first_text(error.get("message"), data),
                code=first_text(error.get("code"), error.get("type"), "error"),
                status=status,
                request_id=request_id,
            )
        is_complete = is_complete or _ends_stream(parsed)
        yield StreamEvent(event, parsed)
    if not is_complete:
        raise IncompleteError(
            "The stream broke off before its end", code="incomplete", status=status, request_id=request_id
        )


def text_of(event: StreamEvent) -> str:
    """The text that an event of a chat brings; '' for those that bring none."""
    if not isinstance(event.data, dict):
        return ""
    choices = event.data.get("choices")
    holder = choices[0] if isinstance(choices, list) and choices else event.data
    delta = holder.get("delta") if isinstance(holder, dict) else None
    text = (delta.get("content") or delta.get("text")) if isinstance(delta, dict) else None
    return text if isinstance(text, str) else ""


def _parse(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data


def _error_in(data: Any) -> dict[str, Any] | None:
    """Chat completions send ``{"error": {…}}``, messages the same with a type, responses the error itself with a type."""
    if not isinstance(data, dict):
        return None
    error = data.get("error")
    if data.get("type") == "error":
        return error if isinstance(error, dict) else data
    return error if "type" not in data and isinstance(error, dict) else None


def _ends_stream(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    if data.get("type") == "completion":
        return data.get("stop_reason") is not None
    return data.get("type") in _ENDINGS
