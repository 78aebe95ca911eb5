"""An authority of one's own, and a certificate for each process: `-m examkit.certificates FOLDER NAME…`.

A certificate says who its owner is by the DNS name `<identity>.examhall.internal`; servers and clients of
the system look at nothing else. It serves as both server and client certificate, as every call is mutual TLS.
"""

import ipaddress
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from examkit.private_files import write_private
from examkit.tls import IDENTITY_DOMAIN

_CA_LIFE, _CA_RENEW = timedelta(days=3650), timedelta(days=400)
_LEAF_LIFE, _LEAF_RENEW = timedelta(days=365), timedelta(days=60)


@dataclass(frozen=True)
class CertificateFiles:
    """What one process needs: the authority it trusts, its own certificate and its key."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure(
    folder: Path, identities: Iterable[str], *, now: datetime | None = None
) -> dict[str, CertificateFiles]:
    """Makes what is missing in `folder` or ends soon, keeps the rest, and gives each identity's files."""
    moment = now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    authority = _authority(folder, moment)
    files = {}
    for identity in identities:
        own = CertificateFiles(folder / "ca.pem", folder / f"{identity}.pem", folder / f"{identity}.key")
        if not _is_good(own, authority, moment):
            _issue(own, identity, authority, moment)
        files[identity] = own
    return files


def _authority(folder: Path, now: datetime) -> _Authority:
    certificate_file, key_file = folder / "ca.pem", folder / "ca.key"
    if certificate_file.exists() and key_file.exists():
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        belong = isinstance(key, ec.EllipticCurvePrivateKey) and certificate.public_key() == key.public_key()
        if belong and now + _CA_RENEW < certificate.not_valid_after_utc:
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            return _Authority(certificate, key)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Examhall local authority")])
    certificate = (
        _builder(name, name, key, now, _CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(certificate_file, key_file, certificate, key)
    return _Authority(certificate, key)


def _is_good(files: CertificateFiles, authority: _Authority, now: datetime) -> bool:
    if not (files.cert.exists() and files.key.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(files.cert.read_bytes())
    key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    ends = certificate.not_valid_after_utc
    issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    ours = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return ends - now > _LEAF_RENEW and issuer == ours and certificate.public_key() == key.public_key()


def _issue(files: CertificateFiles, identity: str, authority: _Authority, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity)])
    names = [x509.DNSName(f"{identity}.{IDENTITY_DOMAIN}"), x509.DNSName("localhost")]
    addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    own = authority.key.public_key()
    certificate = (
        _builder(name, authority.certificate.subject, key, now, _LEAF_LIFE)
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    _write(files.cert, files.key, certificate, key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
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


def _write(
    certificate_file: Path, key_file: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    """The key first: a certificate without its key is made anew by the next run, like the other way round."""
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    write_private(key_file, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    write_private(certificate_file, certificate.public_bytes(pem), mode=0o644)


if __name__ == "__main__":
    ensure(Path(sys.argv[1]), sys.argv[2:])
