"""The certificates of an instance: trusted by clients, kept while they are good, renewed before they end."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from service.runtime.certificates import SERVING_LIFETIME, SERVING_RENEWAL, ensure_certificates

NOW = datetime(2030, 1, 2, tzinfo=UTC)


def serving(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "serving.crt").read_bytes())


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_strict_client_trusts_it_under_every_name(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path, ["registry.example", "192.0.2.7"], NOW)
    store = Store([x509.load_pem_x509_certificate(made.authority_pem)])
    for host in ("localhost", "127.0.0.1", "::1", "registry.example", "192.0.2.7"):
        try:
            subject: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            subject = x509.DNSName(host)
        builder = PolicyBuilder().store(store).time(NOW)
        chain = builder.build_server_verifier(subject).verify(serving(tmp_path), [])  # type: ignore[arg-type]
        assert len(chain) == 2


def test_it_names_this_machine_but_no_wildcard_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Build-7")
    ensure_certificates(tmp_path, ["0.0.0.0", "::"], NOW)
    names = serving(tmp_path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "build-7"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


@pytest.mark.parametrize("name", ["under_score", "", "ünicode", "-", "x" * 300 + "."])
def test_a_machine_with_a_strange_name_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    ensure_certificates(tmp_path, [], NOW)
    assert serving(tmp_path).not_valid_after_utc == NOW + SERVING_LIFETIME


def test_python_serves_with_it(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path, [])
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(made.tls.cert_file, made.tls.private_key_file)


def test_keys_are_private(tmp_path: Path) -> None:
    ensure_certificates(tmp_path / "pki", [], NOW)
    for path in (tmp_path / "pki").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_good_ones_are_kept(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, ["a.example"], NOW)
    before = files(tmp_path)
    ensure_certificates(tmp_path, ["a.example"], NOW + SERVING_LIFETIME - SERVING_RENEWAL)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("later", "hosts"),
    [(timedelta(0), ["b.example"]), (SERVING_LIFETIME - SERVING_RENEWAL + timedelta(seconds=1), ["a.example"])],
)
def test_a_new_host_or_a_near_end_renews_under_the_same_authority(
    tmp_path: Path, later: timedelta, hosts: list[str]
) -> None:
    first = ensure_certificates(tmp_path, ["a.example"], NOW)
    before = files(tmp_path)
    second = ensure_certificates(tmp_path, hosts, NOW + later)
    assert second.authority_pem == first.authority_pem
    assert files(tmp_path)["serving.crt"] != before["serving.crt"]


def test_a_new_authority_comes_in_time_and_signs_anew(tmp_path: Path) -> None:
    first = ensure_certificates(tmp_path, [], NOW)
    second = ensure_certificates(tmp_path, [], NOW + timedelta(days=365 * 9))
    assert second.authority_pem != first.authority_pem
    serving(tmp_path).verify_directly_issued_by(x509.load_pem_x509_certificate(second.authority_pem))


@pytest.mark.parametrize("damaged", ["ca.crt", "ca.key", "serving.crt", "serving.key"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"])
def test_a_damaged_file_is_replaced(tmp_path: Path, damaged: str, content: bytes) -> None:
    ensure_certificates(tmp_path, [], NOW)
    (tmp_path / damaged).write_bytes(content)
    made = ensure_certificates(tmp_path, [], NOW)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(made.tls.cert_file, made.tls.private_key_file)
    serving(tmp_path).verify_directly_issued_by(x509.load_pem_x509_certificate(made.authority_pem))


def test_the_key_of_another_certificate_is_noticed(tmp_path: Path) -> None:
    ensure_certificates(tmp_path / "a", [], NOW)
    ensure_certificates(tmp_path / "b", [], NOW)
    (tmp_path / "a" / "serving.key").write_bytes((tmp_path / "b" / "serving.key").read_bytes())
    made = ensure_certificates(tmp_path / "a", [], NOW)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(made.tls.cert_file, made.tls.private_key_file)
