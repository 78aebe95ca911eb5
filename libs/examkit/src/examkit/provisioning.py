"""`python -m examkit.provisioning`: schemas, roles and broker users, as the URLs of the services claim them.

Waits for the servers. It changes nothing that is as it should be, so that it may run at every upgrade.
"""

import base64
import json
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from examkit.broker_access import BrokerUser, definitions
from examkit.provision import provision
from examkit.settings import SettingsError, environment, load

POLL_SECONDS = 2.0
REQUEST_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class ProvisionSettings:
    """Beside these, `<SERVICE>_DATABASE_URL` and `<SERVICE>_MIGRATE_DATABASE_URL` of each of `services`.

    `<USER>_RABBITMQ_URL` of each of `broker_users`, given as `name[:topic[:topics that it hears, by +]]`.
    A server whose administrator is not named is left to somebody else.
    """

    services: tuple[str, ...]
    broker_users: tuple[str, ...] = ()
    admin_database_url: str = field(default="", repr=False, metadata={"form": "postgresql"})
    rabbitmq_admin_url: str = field(default="", repr=False)
    """Of the management API, with user and password: http://administrator:secret@rabbitmq:15672"""
    wait_seconds: float = 600.0


def main(env: Mapping[str, str]) -> int:
    """Exit status: 0 done, 1 a server did not come, 2 wrong settings."""
    try:
        settings = load(ProvisionSettings, env)
        if settings.admin_database_url:
            _repeat("PostgreSQL", lambda: _databases(settings, env), settings.wait_seconds)
        if settings.rabbitmq_admin_url:
            _repeat("RabbitMQ", lambda: _broker(settings, env), settings.wait_seconds)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except TimeoutError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _repeat(server: str, step: Callable[[], None], seconds: float) -> None:
    """Until the server is there and lets us in. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while True:
        try:
            step()
        except (psycopg.OperationalError, OSError) as error:
            if time.monotonic() > until:
                raise TimeoutError(f"{server}: {error}") from error
            print(f"waiting for {server}: {str(error).splitlines()[0]}", file=sys.stderr)
            time.sleep(POLL_SECONDS)
        else:
            print(f"{server} is provisioned")
            return


def _databases(settings: ProvisionSettings, env: Mapping[str, str]) -> None:
    for service in settings.services:
        migrate = _role_password(env, f"{service}_migrate", f"{service.upper()}_MIGRATE_DATABASE_URL")
        serve = _role_password(env, f"{service}_serve", f"{service.upper()}_DATABASE_URL")
        provision(settings.admin_database_url, service, migrate, serve)


def _role_password(env: Mapping[str, str], role: str, name: str) -> str:
    parts = conninfo_to_dict(env.get(name, ""))
    if parts.get("user") != role:
        raise SettingsError([f"{name} must name the role {role}"])
    return str(parts.get("password") or "")


def _broker(settings: ProvisionSettings, env: Mapping[str, str]) -> None:
    made = [_broker_user(text, env) for text in settings.broker_users]
    vhosts = {vhost for _, vhost in made}
    if len(vhosts) != 1:
        raise SettingsError([f"all RABBITMQ_URLs must name the same virtual host, not {sorted(vhosts)}"])
    _put_definitions(settings.rabbitmq_admin_url, definitions(vhosts.pop(), [user for user, _ in made]))


def _broker_user(text: str, env: Mapping[str, str]) -> tuple[BrokerUser, str]:
    name, topic, hears = (*text.split(":"), "", "")[:3]
    variable = f"{name.upper()}_RABBITMQ_URL"
    url = urlsplit(env.get(variable, ""))
    if unquote(url.username or "") != name:
        raise SettingsError([f"{variable} must name the user {name}"])
    user = BrokerUser(name, unquote(url.password or ""), topic, tuple(filter(None, hears.split("+"))))
    return user, unquote(url.path.removeprefix("/")) or "/"


def _put_definitions(admin_url: str, content: Mapping[str, object]) -> None:
    """Raises OSError: RabbitMQ is away, or refuses."""
    url = urlsplit(admin_url)
    credentials = base64.b64encode(f"{unquote(url.username or '')}:{unquote(url.password or '')}".encode())
    request = urllib.request.Request(  # noqa: S310 - the operator's own address
        f"{url.scheme}://{url.netloc.rpartition('@')[2]}/api/definitions",
        json.dumps(content).encode(),
        {"Content-Type": "application/json", "Authorization": f"Basic {credentials.decode()}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS):  # noqa: S310
            pass
    except HTTPError as error:
        raise OSError(f"{error.code} {error.read(500).decode(errors='replace')}") from error


if __name__ == "__main__":
    sys.exit(main(environment()))
