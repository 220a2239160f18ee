"""HTTP to one gateway, by the standard library."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from .answers import error_of, parse_object
from .errors import IncompleteError, LicensifyError, UnavailableError
from .models import Quota, read_quota

#: The gateway's own refusals with 503: nothing was done, so that any call can be made again.
_NOTHING_WAS_DONE = frozenset({"counters_unavailable", "database_unavailable", "shutting_down"})
#: A longer ``Retry-After`` is for the caller to wait. Seconds.
_LONGEST_WAIT = 10
_LOOPBACK = re.compile(r"localhost|.*\.localhost|127(\.\d+){3}|::1")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would send the keys in the body elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Answer:
    """An answer whose head is there. Its body is read once: whole, or piece by piece."""

    def __init__(self, response: http.client.HTTPResponse | urllib.error.HTTPError) -> None:
        self._response = response
        self.status: int = response.status or 0
        self.headers: Message = response.headers
        self.request_id = response.headers.get("X-Licensify-Request-Id")

    def read(self) -> bytes:
        """Raises IncompleteError where it breaks off."""
        try:
            return self._response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._incomplete("The answer broke off before its end") from error
        finally:
            self.close()

    def pieces(self) -> Iterator[bytes]:
        """As they come. Raises IncompleteError where it breaks off."""
        try:
            while piece := self._response.read1(65_536):  # type: ignore[union-attr]
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise self._incomplete("The stream broke off before its end") from error
        finally:
            self.close()

    def close(self) -> None:
        """Ends the connection, and with it the provider's work."""
        self._response.close()

    def _incomplete(self, message: str) -> IncompleteError:
        return IncompleteError(message, code="incomplete", status=self.status, request_id=self.request_id)


class Transport:
    """Raises LicensifyError where the URL is none, or would send keys in the clear."""

    def __init__(self, url: str, *, allow_http: bool, max_retries: int) -> None:
        self.url = _checked_url(url, allow_http)
        self.quota: Quota | None = None
        self._max_retries = max_retries
        self._opener = urllib.request.build_opener(_NoRedirects)

    def send(
        self,
        path: str,
        body: bytes | None,
        *,
        timeout: float,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The same for a request that each attempt can send as it is."""
        return self.send_anew(path, lambda: (body, headers or {}), timeout=timeout)

    def send_anew(
        self, path: str, make: Callable[[], tuple[bytes | None, Mapping[str, str]]], *, timeout: float
    ) -> Answer:
        """
        A good answer. What was refused with nothing done is tried again, as often as ``max_retries`` says, after its
        ``Retry-After``. make: the body and the headers of each attempt, since a signature is good for one.

        Raises LicensifyError for every other answer, and where there is none.
        """
        attempt = 0
        while True:
            body, headers = make()
            answer = self._send_once(path, body, timeout, headers)
            if 200 <= answer.status < 300:
                return answer
            error = error_of(answer.status, answer.headers, answer.read())
            wait = error.retry_after
            is_over = attempt >= self._max_retries or wait is None or wait > _LONGEST_WAIT
            if is_over or error.status != 503 or error.code not in _NOTHING_WAS_DONE:
                raise error
            attempt += 1
            time.sleep(wait or 0)

    def json(self, path: str, body: dict[str, Any] | None, *, timeout: float) -> dict[str, Any]:
        """Sends JSON and reads a JSON object."""
        sent = None if body is None else json.dumps(body).encode()
        answer = self.send(path, sent, timeout=timeout)
        text = answer.read()
        parsed = parse_object(text)
        if parsed is None:
            raise error_of(answer.status, answer.headers, text)
        return parsed

    def _send_once(self, path: str, body: bytes | None, timeout: float, headers: Mapping[str, str]) -> Answer:
        given = {**headers, "User-Agent": "licensify-python/0.1.0"}
        if body is not None:
            given["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, data=body, headers=given)
        try:
            answer = Answer(self._opener.open(request, timeout=timeout))
        except urllib.error.HTTPError as error:
            answer = Answer(error)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        location = answer.headers.get("Location")
        if 300 <= answer.status < 400 and location is not None:
            answer.close()
            raise LicensifyError(
                f"{self.url} redirects to {location}: use the URL where the gateway is", code="redirected"
            )
        self.quota = read_quota(answer.headers) or self.quota
        return answer

    def _unreachable(self, error: Exception) -> UnavailableError:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, TimeoutError):
            return UnavailableError(f"{self.url} did not answer in time", code="timeout")
        return UnavailableError(f"{self.url} cannot be reached ({reason})", code="unreachable")


def _checked_url(url: str, allow_http: bool) -> str:
    def wrong(problem: str) -> LicensifyError:
        return LicensifyError(problem, code="invalid_url")

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise wrong(f"The gateway's URL has to be one such as https://licenses.example.com, not {url!r}")
    if parts.username is not None or parts.password is not None:
        raise wrong("The gateway's URL takes no user and password")
    if parts.scheme == "http" and not allow_http and _LOOPBACK.fullmatch(parts.hostname) is None:
        raise wrong(
            f"{url} would get keys in the clear: use https (or allow_http=True, in a network of your own)"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    is_default = port in (None, {"http": 80, "https": 443}[parts.scheme])
    return f"{parts.scheme}://{host}{'' if is_default else f':{port}'}{parts.path}".rstrip("/")
