"""Why an image or a repository could not be had, and how the reference words it.

Keeps: a failure is a value of the answer, never an answer by itself; no failure quotes a credential. What went wrong
on the network is told as Go tells it, for that is what the reference shows and what people search for.
Source: spec: image-api 9.5, 9.4.3, 9.2.4. Elsewhere: when there is a failure (`repository.py`).
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from pathlib import Path

import aiohttp

from service.api.go_text import quote
from service.api.meta_v1 import Status, StatusCause, StatusDetails
from service.domain.errors import IMAGE_GROUP

_BAD_LOGIN = "username or password"
_UNKNOWN_AUTHORITY_CODES = frozenset({18, 19, 20, 21})
"""Of OpenSSL: self-signed, or an issuer nobody here knows."""
_EXPIRED_CODES = frozenset({9, 10})
_OTHER_HOST_CODES = frozenset({62, 64})


class RegistryError(Exception):
    """A registry, or the way to it, failed."""


class Unauthorized(RegistryError):
    """The registry wants other credentials, or some."""


class NoCredentials(Unauthorized):
    """The registry wants credentials, and there are none."""


class Missing(RegistryError):
    """There is no such repository, tag or digest."""


class Blocked(RegistryError):
    """An administrator keeps the registry out."""


class Unnameable(RegistryError):
    """The name is no pull spec."""


SUCCESS = Status(status="Success")


def image_failure(error: RegistryError, reference: str) -> Status:
    """`reference` is the pull spec with everything filled in."""
    if isinstance(error, Unauthorized):
        return _unauthorized(error, reference)
    if isinstance(error, Missing):
        return _not_found(reference)
    if isinstance(error, Blocked):
        return Status(status="Failure", message=f"forbidden: {error}", reason="Forbidden", code=403)
    if isinstance(error, Unnameable):
        return Status(status="Failure", message=f' "" is invalid: from.name: {error}', reason="Invalid", code=422)
    return _internal(f"{reference}: {error}")


def repository_failure(error: RegistryError, reference: str) -> Status:
    """Why the tags of a repository could not be listed."""
    if isinstance(error, Unauthorized) and not isinstance(error, NoCredentials):
        return _unauthorized(error, reference)
    if isinstance(error, Missing):
        return _not_found(reference)
    if isinstance(error, Blocked):
        return image_failure(error, reference)
    return _internal(str(error))


def partial_failure(count: int) -> Status:
    """Some images of a repository could not be had."""
    which = "one" if count == 1 else str(count)
    message = f"{which} of the images from this repository failed to import"
    return Status(status="Failure", message=message, reason="ImportFailed")


def network_failure(url: str, error: BaseException) -> RegistryError:
    """`error` is what asking for the URL raised."""
    return RegistryError(f"Get {quote(url)}: {_network_text(error)}")


def _unauthorized(error: Unauthorized, reference: str) -> Status:
    message = f'you may not have access to the container image "{reference}"'
    if _BAD_LOGIN in str(error):
        message = f'incorrect username or password for image "{reference}"'
    return Status(status="Failure", message=message, reason="Unauthorized", code=401)


def _not_found(reference: str) -> Status:
    message = f'dockerimage.{IMAGE_GROUP} "{reference}" not found'
    details = StatusDetails(name=reference, group=IMAGE_GROUP, kind="dockerimage")
    return Status(status="Failure", message=message, reason="NotFound", details=details, code=404)


def _internal(cause: str) -> Status:
    message = f"Internal error occurred: {cause}"
    details = StatusDetails(causes=[StatusCause(message=cause)])
    return Status(status="Failure", message=message, reason="InternalError", details=details, code=500)


def _network_text(error: BaseException) -> str:
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "context deadline exceeded"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate_text(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"dial tcp: lookup {error.host}{_resolver()}: no such host"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return _tls_text(error.os_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"dial tcp {error.host}:{error.port}: connect: {_system_text(error.os_error)}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    if isinstance(error, aiohttp.TooManyRedirects):
        return "stopped after too many redirects"
    if isinstance(error, aiohttp.ClientOSError):
        return _system_text(error)
    return str(error) or type(error).__name__


def _resolver() -> str:
    """Whom this machine asks about names; without a word of it, nobody knows whose answer that was."""
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    servers = [words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == "nameserver"]
    return f" on {servers[0]}:53" if servers else ""


def _system_text(error: OSError) -> str:
    """The system's own words, which have a small first letter in Go."""
    if error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno).lower()
    return str(error)


def _tls_text(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return "http: server gave HTTP response to HTTPS client"
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return f"tls: {reason.replace('_', ' ').lower() if reason else error}"


def _certificate_text(error: BaseException) -> str:
    code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
    why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)
    if code in _UNKNOWN_AUTHORITY_CODES:
        why = "certificate signed by unknown authority"
    elif code in _EXPIRED_CODES:
        why = "certificate has expired or is not yet valid"
    elif code in _OTHER_HOST_CODES:
        why = f"certificate is valid for another name: {why}"
    return f"tls: failed to verify certificate: x509: {why}"
