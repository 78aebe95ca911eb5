"""Who may do what in RabbitMQ: the definitions of a virtual host, its users and their rights.

A node reads them at boot, or takes them over its management API; both may happen again and again.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from examkit.bus import EXCHANGE

EVERYBODY_HEARS = "auth"
"""Its events say whose access has ended: they concern every process."""


@dataclass(frozen=True)
class BrokerUser:
    """`topic`: what it publishes begins with `examhall.<topic>.`; empty: it publishes nothing.

    `hears`: the topics that it may bind its queues to, beside its own.
    """

    name: str
    password: str = field(repr=False)
    topic: str = ""
    hears: Sequence[str] = ()


def definitions(vhost: str, users: Sequence[BrokerUser]) -> dict[str, Any]:
    """As RabbitMQ takes them. Everything else that the node has stays as it is."""
    return {
        "vhosts": [{"name": vhost}],
        "users": [_user(user.name, user.password) for user in users],
        "permissions": [{"user": user.name, "vhost": vhost, **_permissions(user)} for user in users],
        "topic_permissions": [
            {"user": user.name, "vhost": vhost, "exchange": EXCHANGE, **_topic_permissions(user)}
            for user in users
        ],
    }


def with_administrator(made: Mapping[str, Any], name: str, password: str) -> dict[str, Any]:
    """The same with somebody who may do everything."""
    vhost = made["vhosts"][0]["name"]
    everything = {"user": name, "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}
    return {
        **made,
        "users": [_user(name, password, "administrator"), *made["users"]],
        "permissions": [everything, *made["permissions"]],
    }


def _user(name: str, password: str, *tags: str) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": _hashed(password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": list(tags),
    }


def _hashed(password: str) -> str:
    """RabbitMQ's form: base64 of a 4-byte salt and SHA-256 of salt and password."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _permissions(user: BrokerUser) -> dict[str, str]:
    """It may touch its own queues and the one exchange."""
    exchange, own = re.escape(EXCHANGE), rf"{re.escape(user.name)}\..*"
    written = f"{exchange}|{own}" if user.topic else own
    return {"configure": f"^({exchange}|{own})$", "write": f"^({written})$", "read": f"^({exchange}|{own})$"}


def _topic_permissions(user: BrokerUser) -> dict[str, str]:
    """Nobody publishes in another's name, nor hears what is not meant for it: events hold answers."""
    hears = "|".join(dict.fromkeys(filter(None, (EVERYBODY_HEARS, user.topic, *user.hears))))
    return {
        "write": rf"^examhall\.{user.topic}\..*" if user.topic else "^$",
        "read": rf"^examhall\.({hears})\..*",
    }
