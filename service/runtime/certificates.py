"""A certificate authority of our own, and the serving certificate it signs: kubectl sends no token over plain HTTP.

Both are kept in a folder and used again while they are valid, match their keys, and name every host asked for. A new
authority is made only when the old one cannot be used any more, because every kubeconfig handed out names it.
Certificates of the user's own take another way: `--tls-cert-file` and `--tls-private-key-file`.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from service.runtime.config import WILDCARD_HOSTS, TlsSettings
from service.runtime.data_dir import write_private_file

AUTHORITY_LIFETIME = timedelta(days=3650)
AUTHORITY_RENEWAL = timedelta(days=730)
SERVING_LIFETIME = timedelta(days=365)
SERVING_RENEWAL = timedelta(days=30)
CLOCK_SKEW = timedelta(hours=1)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

_DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE | re.ASCII)


class KeyPair(msgspec.Struct, frozen=True):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Certificates(msgspec.Struct, frozen=True):
    tls: TlsSettings
    authority_pem: bytes
    """What clients must trust."""


def ensure_certificates(folder: Path, hosts: Iterable[str], now: datetime | None = None) -> Certificates:
    """A serving certificate for these hosts, this machine's name and the loopback names, made where it is missing."""
    now = now or datetime.now(UTC)
    folder.mkdir(mode=0o700, exist_ok=True)
    authority = _load(folder, "ca")
    if authority is None or _expires_within(authority.certificate, AUTHORITY_RENEWAL, now):
        authority = _new_authority(now)
        _save(folder, "ca", authority)
    names = _alternative_names(hosts)
    serving = _load(folder, "serving")
    if serving is None or not _still_serves(serving.certificate, authority, names, now):
        serving = _new_serving(authority, names, now)
        _save(folder, "serving", serving)
    return Certificates(
        tls=TlsSettings(cert_file=folder / "serving.crt", private_key_file=folder / "serving.key"),
        authority_pem=authority.certificate.public_bytes(Encoding.PEM),
    )


def _alternative_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    wanted = [*LOCAL_HOSTS, socket.gethostname(), *(host for host in hosts if host not in WILDCARD_HOSTS)]
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(wanted):
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            # A machine's name need not be one that DNS knows; then it is of no use in a certificate.
            if _DNS_NAME.fullmatch(host):
                names.append(x509.DNSName(host.lower()))
    return list(dict.fromkeys(names))


def _load(folder: Path, name: str) -> KeyPair | None:
    """The pair kept under this name; None when a part is missing, damaged, or of another pair."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
        key = load_pem_private_key((folder / f"{name}.key").read_bytes(), password=None)
        if isinstance(key, ec.EllipticCurvePrivateKey) and _public(certificate) == key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        ):
            return KeyPair(certificate, key)
    return None


def _save(folder: Path, name: str, pair: KeyPair) -> None:
    key = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private_file(folder / f"{name}.key", key)
    write_private_file(folder / f"{name}.crt", pair.certificate.public_bytes(Encoding.PEM))


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _expires_within(certificate: x509.Certificate, time_left: timedelta, now: datetime) -> bool:
    return certificate.not_valid_after_utc - now < time_left


def _still_serves(
    certificate: x509.Certificate, authority: KeyPair, names: list[x509.GeneralName], now: datetime
) -> bool:
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        present = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return set(names) <= set(present) and not _expires_within(certificate, SERVING_RENEWAL, now)


def _new_authority(now: datetime) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    # Its name is its own for ever: trust stores confuse two authorities of one name.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"tag-history CA {now:%Y-%m-%d} {_short_id(key)}")])
    builder = _builder(name, name, key.public_key(), now, AUTHORITY_LIFETIME)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return KeyPair(builder.sign(key, hashes.SHA256()), key)


def _new_serving(authority: KeyPair, names: list[x509.GeneralName], now: datetime) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tag-history")])
    builder = _builder(authority.certificate.subject, subject, key.public_key(), now, SERVING_LIFETIME)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(names), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), False),
    ]
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return KeyPair(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _short_id(key: ec.EllipticCurvePrivateKey) -> str:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()[:8]
