"""Certificates: who is named, how long they hold, when they are renewed."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from examkit import certificates


def _load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_each_identity_is_named_and_keys_are_private(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, ("exam", "gateway-student"))
    certificate = _load(files["exam"].cert)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["exam.examhall.internal", "localhost"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    authority = _load(files["exam"].ca)
    certificate.verify_directly_issued_by(authority)
    assert authority.not_valid_after_utc - datetime.now(UTC) > timedelta(days=3600)
    for key in tmp_path.glob("*.key"):
        assert key.stat().st_mode & 0o777 == 0o600


def test_mutual_tls_works_with_them(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, ("exam", "gateway-student"))
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files["exam"].ca)
    server_side.load_cert_chain(files["exam"].cert, files["exam"].key)
    server_side.verify_mode = ssl.CERT_REQUIRED
    client_side = ssl.create_default_context(cafile=files["gateway-student"].ca)
    client_side.load_cert_chain(files["gateway-student"].cert, files["gateway-student"].key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    client = client_side.wrap_bio(to_client, to_server, server_hostname="exam.examhall.internal")
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for side in (client, server):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
    assert done == {client, server}
    peer = server.getpeercert()
    assert peer is not None
    assert ("DNS", "gateway-student.examhall.internal") in peer["subjectAltName"]


def test_good_ones_are_kept_and_old_ones_renewed_by_the_same_authority(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    files = certificates.ensure(tmp_path, ("exam",), now=now)
    first, authority = files["exam"].cert.read_bytes(), files["exam"].ca.read_bytes()
    certificates.ensure(tmp_path, ("exam",), now=now + timedelta(days=200))
    assert files["exam"].cert.read_bytes() == first
    certificates.ensure(tmp_path, ("exam",), now=now + timedelta(days=330))
    assert files["exam"].cert.read_bytes() != first
    assert files["exam"].ca.read_bytes() == authority


def test_a_new_authority_replaces_every_certificate(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    files = certificates.ensure(tmp_path, ("exam",), now=now)
    authority = files["exam"].ca.read_bytes()
    certificates.ensure(tmp_path, ("exam",), now=now + timedelta(days=3500))
    assert files["exam"].ca.read_bytes() != authority
    _load(files["exam"].cert).verify_directly_issued_by(_load(files["exam"].ca))
