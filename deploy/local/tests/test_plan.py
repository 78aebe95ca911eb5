"""What the processes are started with."""

from pathlib import Path

from examkit.certificates import CertificateFiles

from examhall_local import options
from examhall_local.plan import Addresses, gateway_spec


def test_the_web_application_is_served_once_it_is_built(tmp_path: Path) -> None:
    chosen = options.read({"EXAMHALL_ROOT": str(tmp_path)})
    tls = CertificateFiles(tmp_path, tmp_path, tmp_path)
    addresses = Addresses(grpc={}, ops={"gateway": "127.0.0.1:1"}, http="127.0.0.1:2")

    def web_root() -> str | None:
        identities = {"gateway-student": tls, "gateway-staff": tls}
        return gateway_spec(chosen, addresses, "amqp://", identities).settings.get("WEB_ROOT")

    out = tmp_path / "web" / "out"
    out.mkdir(parents=True)
    # As a build that stopped half-way leaves it.
    assert web_root() is None
    (out / "index.html").write_text("x")
    assert web_root() == str(out)
