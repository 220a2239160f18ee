"""The client itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from .answers import parse_object
from .errors import DeviceError, IncompleteError, LicensifyError, SignatureError
from .events import StreamEvent, stream_events, text_of
from .kept import Kept
from .keys import Keys
from .models import Activation, LicenseState, Quota, Tier, read_state, read_tier
from .signer import Signer, Signing
from .store import FileStore, Store
from .transport import Answer, Transport

Provider = Literal["openai", "anthropic"]


class Client:
    """
    A licensed device of one gateway. Safe to use from several threads.

    url: where the gateway is.
    app: separates applications that share a machine and a gateway.
    license_key: activates with it where this device is not activated.
    hardware_id: default: derived from the machine's own id, else generated once and kept.
    store: default: files with mode 0600 in the operating system's usual place.
    keep_license_key: whether the license key is kept beside the proxy key, to activate again without a person.
    timeout: of calls to the license endpoints. Seconds.
    call_timeout: the longest silence of a provider: until its headers, and between two pieces. Seconds.
    max_retries: how often a call is tried again that the gateway refused with 503 and nothing done.
    signing: how requests are signed: ``auto`` (as the license's tier asks), ``none``, ``hmac``, ``ed25519``.
    now: the time, in seconds since 1970.
    allow_http: allows ``http://`` to other machines: keys then travel in the clear.
    """

    def __init__(
        self,
        url: str,
        *,
        app: str = "default",
        license_key: str | None = None,
        hardware_id: str | None = None,
        store: Store | None = None,
        keep_license_key: bool = True,
        timeout: float = 30.0,
        call_timeout: float = 600.0,
        max_retries: int = 2,
        signing: Signing = "auto",
        now: Callable[[], float] = time.time,
        allow_http: bool = False,
    ) -> None:
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", app) is None:
            raise LicensifyError(
                'app takes up to 64 letters, digits, ".", "-" and "_", beginning with one of the former, '
                f"not {app!r}",
                code="invalid_app",
            )
        self._timeout = timeout
        self._call_timeout = call_timeout
        self._signer = Signer(signing, now)
        self._transport = Transport(url, allow_http=allow_http, max_retries=max_retries)
        self._keys = Keys(
            self._transport,
            FileStore(app) if store is None else store,
            license_key=license_key,
            hardware_id=hardware_id,
            keep_license_key=keep_license_key,
            signing=signing,
            timeout=timeout,
        )

    @property
    def url(self) -> str:
        """The gateway's URL, without a slash at its end."""
        return self._transport.url

    @property
    def quota(self) -> Quota | None:
        """What the last answer said is left; None before there was one."""
        return self._transport.quota

    def activate(self, license_key: str, hardware_id: str | None = None) -> Activation:
        """
        Activates this device and keeps its key. Doing it again gives it a new key.

        Raises LicenseError, DeviceError (the license has its devices), UnavailableError, StoreError (it could not be
        kept).
        """
        return self._keys.activate(license_key, hardware_id)

    def deactivate(self) -> None:
        """Frees the device and forgets its key. A device that was removed already is forgotten alike."""
        identity = self._keys.identity()
        try:
            self._transport.json("/deactivate", identity, timeout=self._timeout)
        except DeviceError:
            pass
        self._keys.forget()

    def forget(self) -> None:
        """Forgets this device's key without a word to the gateway."""
        self._keys.forget()

    def check(self) -> LicenseState:
        """The state of the license; counts nothing."""
        return read_state(self._transport.json("/check", self._keys.identity(), timeout=self._timeout))

    def tiers(self) -> list[Tier]:
        """The tiers that the gateway shows. Needs no activation."""
        answer = self._transport.json("/tiers", None, timeout=self._timeout)
        return [read_tier(tier) for tier in answer["tiers"]]

    def key(self) -> str:
        """This device's key, a secret: ``px_…``, or in direct mode the provider's own."""
        return self._keys.current().proxy_key

    def hardware_id(self) -> str:
        """What this device is called where nobody says otherwise."""
        return self._keys.hardware_id()

    def openai_kwargs(self) -> dict[str, str]:
        """``OpenAI(**client.openai_kwargs())``."""
        return self._sdk_kwargs("openai/v1")

    def anthropic_kwargs(self) -> dict[str, str]:
        """``Anthropic(**client.anthropic_kwargs())``."""
        return self._sdk_kwargs("anthropic")

    def renew(self) -> None:
        """Another key in place of this device's, for an SDK that was told 401: then ask for its kwargs again."""
        self._keys.renew(self._keys.current().proxy_key)

    def call(
        self, provider: Provider, path: str, body: Any, *, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """
        A call without an SDK: the answer's JSON. A str as ``body`` is sent as it stands.

        Raises IncompleteError where the answer breaks off.
        """
        answer = self._send(provider, path, body, headers)
        text = answer.read()
        parsed = parse_object(text)
        if parsed is not None:
            return parsed
        if "json" in answer.headers.get("Content-Type", ""):
            raise IncompleteError(
                "The answer broke off before its end", code="incomplete", status=answer.status
            )
        raise LicensifyError(
            "The answer is no JSON: use request() for audio, images and text", code="not_json", status=answer.status
        )

    def request(
        self, provider: Provider, path: str, body: Any, *, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The same, its bytes."""
        return self._send(provider, path, body, headers).read()

    def stream(
        self, provider: Provider, path: str, body: Any, *, headers: Mapping[str, str] | None = None
    ) -> Iterator[StreamEvent]:
        """
        The events of a streamed answer as they come; ``body`` holds ``"stream": True``. Leaving the loop, or closing the
        generator, ends the provider's work.

        Raises IncompleteError where the stream breaks off: it ends in silence only where it is complete.
        """
        answer = self._send(provider, path, body, headers)
        try:
            if "text/event-stream" not in answer.headers.get("Content-Type", ""):
                raise LicensifyError(
                    'The answer is no stream: the body has to hold "stream": True',
                    code="not_a_stream",
                    status=answer.status,
                )
            yield from stream_events(answer.pieces(), status=answer.status, request_id=answer.request_id)
        finally:
            answer.close()

    def chat(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        provider: Provider = "openai",
        max_tokens: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[str]:
        """The pieces of a chat's answer as they come. Raises as ``stream``. Anthropic's max_tokens is 1024 by default."""
        path, body = _chat_call(provider, model, messages, max_tokens)
        for event in self.stream(provider, path, body, headers=headers):
            text = text_of(event)
            if text:
                yield text

    def _send(self, provider: Provider, path: str, body: Any, headers: Mapping[str, str] | None) -> Answer:
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)

        target = f"/proxy/{provider}/{path.lstrip('/')}".partition("#")[0]

        def send(kept: Kept) -> Answer:
            def make() -> tuple[bytes, Mapping[str, str]]:
                envelope = self._enveloped(kept, provider, text)
                proof = self._signer.proof(kept, target=target, body=envelope)
                return envelope, {**(headers or {}), **proof}

            return self._transport.send_anew(target, make, timeout=self._call_timeout)

        kept = self._keys.current()
        tried: set[str] = set()
        while True:
            used = self._signer.offset
            try:
                return send(kept)
            except (DeviceError, SignatureError) as error:
                remedy = self._remedy(error, kept, used)
                # Each is tried once.
                if remedy is None or remedy in tried:
                    raise
            tried.add(remedy)
            if remedy == "another key":
                kept = self._keys.renew(kept.proxy_key)
            elif remedy == "a signature":
                kept = self._keys.stamped(kept)

    def _enveloped(self, kept: Kept, provider: Provider, text: str) -> bytes:
        fields = self._signer.fields(kept, provider, text)
        head = {
            "proxy_key": kept.proxy_key,
            "provider": provider,
            "hardware_id": kept.hardware_id,
            **fields,
        }
        # The body reaches the provider as it stands here, byte for byte.
        return f'{json.dumps(head)[:-1]}, "body":{text}}}'.encode()

    def _remedy(self, error: LicensifyError, kept: Kept, used: float) -> str | None:
        """
        What to try after a refusal: a key that is refused is renewed; a signature that is refused never costs the key, but
        is made again where the clock was off, or where there was none yet.
        """
        mode = self._signer.mode
        if error.code == "invalid_proxy_key":
            return "another key"
        if error.code == "public_key_required":
            return "another key" if mode in ("auto", "ed25519") else None
        if error.code != "invalid_signature":
            return None
        if self._signer.kind_for(kept) is None:
            return "a signature" if mode == "auto" else None
        return "the right time" if self._signer.correct(error.headers, used) else None

    def _sdk_kwargs(self, path: str) -> dict[str, str]:
        kept = self._keys.current()
        key = kept.proxy_key
        if kept.private_key is not None or kept.signing is not None:
            raise LicensifyError(
                "This license's requests have to be signed, which the SDK does not do: use call(), stream() and chat()",
                code="signing_required",
            )
        if not key.startswith("px_"):
            raise LicensifyError(
                "This gateway hands out the key of the provider itself: use key() as its API key",
                code="direct_mode",
            )
        return {"base_url": f"{self.url}/proxy/{path}", "api_key": key}


def _chat_call(
    provider: Provider, model: str, messages: Sequence[Mapping[str, str]], max_tokens: int | None
) -> tuple[str, dict[str, Any]]:
    """The path and the body of a streamed chat, as the provider wants it."""
    if provider == "openai":
        limit = {} if max_tokens is None else {"max_completion_tokens": max_tokens}
        return "v1/chat/completions", {"model": model, "messages": list(messages), **limit, "stream": True}
    system = [message["content"] for message in messages if message["role"] == "system"]
    return "v1/messages", {
        "model": model,
        "max_tokens": 1_024 if max_tokens is None else max_tokens,
        **({"system": "\n\n".join(system)} if system else {}),
        "messages": [message for message in messages if message["role"] != "system"],
        "stream": True,
    }
