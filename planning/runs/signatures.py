"""Signatures of what is stored or sent: HMAC-SHA256 with keys derived from the site's secret keys."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

from django.conf import settings

SIZE = 32


def sign(purpose: str, content: bytes) -> bytes:
    """Return the signature of `content` for one purpose: one for another does not hold."""
    return _signature(settings.SECRET_KEY, purpose, content)


def holds(signature: bytes, purpose: str, content: bytes) -> bool:
    """Whether the signature is one of this site's, by its key or by one of the older ones that it still takes."""
    return any(hmac.compare_digest(signature, expected) for expected in _expected(purpose, content))


def _expected(purpose: str, content: bytes) -> Iterator[bytes]:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield _signature(secret, purpose, content)


def _signature(secret: str, purpose: str, content: bytes) -> bytes:
    key = hmac.new(secret.encode(), b"planning.runs." + purpose.encode(), hashlib.sha256).digest()
    return hmac.new(key, content, hashlib.sha256).digest()
