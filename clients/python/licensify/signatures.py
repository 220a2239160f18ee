"""How a client signs, by the gateway's docs/signing.md."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from .device_key import DeviceKey


def stamp_of(proxy_key: str, *, timestamp: str, provider: str, body: bytes) -> str:
    """HMAC-SHA-256 under the proxy key, over timestamp, provider and body with nothing between them."""
    message = f"{timestamp}{provider}".encode() + body
    return hmac.new(proxy_key.encode(), message, hashlib.sha256).hexdigest()


def timestamp_at(now: float) -> str:
    """
    Unix seconds with nine digits behind the point, of which the last six are random: the same request at the same
    moment needs another signature.
    """
    milliseconds = int(now * 1_000)
    return f"{milliseconds // 1_000}.{milliseconds % 1_000:03d}{secrets.randbelow(1_000_000):06d}"


def message_headers(
    key: DeviceKey, *, method: str, target: str, body: bytes, created: int, nonce: str | None = None
) -> dict[str, str]:
    """
    The headers of an HTTP message signature under the device's key: RFC 9421, with RFC 9530 for the body.

    target: path and query as they are sent.
    created: Unix seconds.
    nonce: default: a random one.
    """
    path, mark, query = target.partition("?")
    lines = [("@method", method.upper()), ("@path", path)]
    if mark:
        lines.append(("@query", f"?{query}"))
    headers = {}
    if body:
        headers["Content-Digest"] = f"sha-256=:{_base64(hashlib.sha256(body).digest())}:"
        lines.append(("content-digest", headers["Content-Digest"]))
    components = " ".join(f'"{name}"' for name, _ in lines)
    nonce = secrets.token_hex(16) if nonce is None else nonce
    parameters = f'({components});created={created};keyid="{key.x}";alg="ed25519";nonce="{nonce}"'
    base = "\n".join(f'"{name}": {value}' for name, value in [*lines, ("@signature-params", parameters)])
    return {
        **headers,
        "Signature-Input": f"sig1={parameters}",
        "Signature": f"sig1=:{_base64(key.sign(base.encode()))}:",
    }


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
