"""Settings are complete and consistent, or they are refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.runtime.config import ApiSettings, EngineSettings, ListenAddress, ServeSettings, TlsSettings
from service.runtime.user_error import SettingsError

ENGINES = EngineSettings(postgres_dsn="postgresql://", nats_url="nats://")
TLS = TlsSettings(Path("a"), Path("b"))
ADDRESS = ListenAddress("127.0.0.1", 1)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:8443", "127.0.0.1", 8443), ("[::1]:0", "::1", 0), ("localhost:65535", "localhost", 65535)],
)
def test_an_address_reads_as_it_is_written(text: str, host: str, port: int) -> None:
    address = ListenAddress.parse(text)
    assert (address.host, address.port) == (host, port)
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "8443", ":8443", "::1:8443", "host:", "host:x", "host:65536", "host:-1", "h:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        ListenAddress.parse(text)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = ListenAddress.parse(text)
    except SettingsError:
        return
    assert ListenAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "https://127.0.0.1:1"), ("::", "https://[::1]:1"), ("example.org", "https://example.org:1")],
)
def test_a_local_client_reaches_an_address_for_every_interface_on_loopback(host: str, url: str) -> None:
    assert ListenAddress(host, 1).local_url("https") == url


def test_a_server_needs_an_address_and_a_certificate_for_it() -> None:
    ServeSettings(ENGINES, ApiSettings(), tls=TLS, listen=ADDRESS)
    ServeSettings(ENGINES, ApiSettings(), insecure_listen_fd=7)
    with pytest.raises(SettingsError, match="nothing to serve on"):
        ServeSettings(ENGINES, ApiSettings(), tls=TLS)
    with pytest.raises(SettingsError, match="needs --tls-cert-file"):
        ServeSettings(ENGINES, ApiSettings(), listen=ADDRESS)
    with pytest.raises(SettingsError, match="exclude each other"):
        ServeSettings(ENGINES, ApiSettings(), tls=TLS, listen=ADDRESS, listen_fd=7)


def test_jetstream_keeps_at_most_five_replicas() -> None:
    with pytest.raises(SettingsError):
        EngineSettings("postgresql://", "nats://", jetstream_replicas=6)
