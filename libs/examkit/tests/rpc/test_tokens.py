"""Access tokens: only what auth signed, for us, in time, and not revoked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from examkit.errors import AppError, Kind
from examkit.ids import uuid7
from examkit.revocations import Revocations
from examkit.tokens import TokenVerifier, public_keys
from hypothesis import given
from hypothesis import strategies as st

FAR = 9e9


class Keys:
    """Counts how often a key is looked for."""

    def __init__(self, signer: Any) -> None:
        self._signer = signer
        self.asked: list[str] = []

    async def key(self, kid: str) -> Any:
        self.asked.append(kid)
        return self._signer.public if kid == self._signer.kid else None


class Moment:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def keys(signer: Any) -> Keys:
    return Keys(signer)


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def revocations() -> Revocations:
    return Revocations()


@pytest.fixture
def verifier(keys: Keys, revocations: Revocations, moment: Moment) -> TokenVerifier:
    return TokenVerifier(keys, revocations, "examhall", "examhall-api", clock=moment, capacity=3)


async def refused(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(AppError) as caught:
        await verifier.verify(token)
    assert caught.value.kind is Kind.UNAUTHENTICATED
    return caught.value.code


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


async def test_a_good_token_tells_who_it_is(verifier: TokenVerifier, signer: Any) -> None:
    user_id, session_id = uuid7(), uuid7()
    principal = await verifier.verify(
        signer.token(user_id=user_id, session_id=session_id, version=4, role="admin")
    )
    assert (principal.user_id, principal.session_id) == (user_id, session_id)
    assert (principal.role, principal.groups, principal.token_version) == ("admin", {"class-a"}, 4)


async def test_an_unsigned_token_is_refused(verifier: TokenVerifier, signer: Any) -> None:
    claims = signer.token().split(".")[1]
    header = encoded({"alg": "none", "typ": "at+jwt", "kid": signer.kid})
    assert await refused(verifier, f"{header}.{claims}.") == "unauthenticated"


async def test_a_public_key_used_as_an_hmac_secret_is_refused(verifier: TokenVerifier, signer: Any) -> None:
    header = encoded({"alg": "HS256", "typ": "at+jwt", "kid": signer.kid})
    signed = f"{header}.{signer.token().split('.')[1]}"
    pem = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    for secret in (signer.public.public_bytes_raw(), signer.public.public_bytes(*pem)):
        mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), hashlib.sha256))
        assert await refused(verifier, f"{signed}.{mac.rstrip(b'=').decode()}") == "unauthenticated"


async def test_a_key_that_the_header_brings_along_is_not_used(verifier: TokenVerifier, signer: Any) -> None:
    thief = type(signer)(kid=signer.kid)
    for header in (
        {"jwk": thief.jwk},
        {"jku": "https://thief.example/jwks.json"},
        {"x5u": "https://thief.example/cert"},
    ):
        assert await refused(verifier, thief.token(headers=header)) == "unauthenticated"


@pytest.mark.parametrize(
    "headers", [{"typ": "JWT"}, {"typ": None}, {"kid": "k2"}, {"kid": 7}, {"crit": ["b64"], "b64": True}]
)
async def test_a_header_that_is_not_ours_is_refused(
    verifier: TokenVerifier, signer: Any, headers: dict[str, Any]
) -> None:
    try:
        token = signer.token(headers=headers)
    except jwt.InvalidTokenError:  # PyJWT itself does not write every one of them.
        head = encoded({"alg": "EdDSA", "typ": "at+jwt", "kid": signer.kid} | headers)
        signed = f"{head}.{signer.token().split('.')[1]}"
        signature = base64.urlsafe_b64encode(signer.key.sign(signed.encode())).rstrip(b"=").decode()
        token = f"{signed}.{signature}"
    assert await refused(verifier, token) == "unauthenticated"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"sub": "nobody"},
        {"sid": None},
        {"ver": "1"},
        {"ver": True},
        {"groups": "class-a"},
        {"groups": [1]},
        {"role": None},
        {"iat": FAR},
        {"nbf": FAR},
        {"exp": "soon"},
    ],
)
async def test_claims_that_are_not_for_us_are_refused(
    verifier: TokenVerifier, signer: Any, claims: dict[str, Any]
) -> None:
    assert await refused(verifier, signer.token(**claims)) == "unauthenticated"


async def test_a_changed_token_is_refused(verifier: TokenVerifier, signer: Any) -> None:
    head, claims, signature = signer.token().split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"role": "admin"}
    assert await refused(verifier, f"{head}.{encoded(changed)}.{signature}") == "unauthenticated"


async def test_an_endless_token_is_refused_unread(verifier: TokenVerifier, keys: Keys) -> None:
    assert await refused(verifier, "e" * 10_000) == "unauthenticated"
    assert not keys.asked


@given(text=st.text(max_size=200))
async def test_no_text_breaks_the_verifier(text: str) -> None:
    class NoKeys:
        async def key(self, kid: str) -> None:
            return None

    await refused(TokenVerifier(NoKeys(), Revocations(), "examhall", "examhall-api"), text)


async def test_a_remembered_token_is_not_verified_again(
    verifier: TokenVerifier, signer: Any, keys: Keys
) -> None:
    token = signer.token()
    assert verifier.remembered(token) is None
    first = await verifier.verify(token)
    assert await verifier.verify(token) is first
    assert verifier.remembered(token) is first
    assert len(keys.asked) == 1


async def test_a_remembered_token_expires(verifier: TokenVerifier, signer: Any, moment: Moment) -> None:
    token = signer.token(lifetime=1800)
    await verifier.verify(token)
    moment.now += timedelta(seconds=1801)
    assert await refused(verifier, token) == "token_expired"
    assert await refused(verifier, signer.token(lifetime=5)) == "token_expired"


async def test_only_so_many_tokens_are_remembered(verifier: TokenVerifier, signer: Any, keys: Keys) -> None:
    tokens = [signer.token() for _ in range(4)]
    for token in tokens[:3]:
        await verifier.verify(token)
    await verifier.verify(tokens[0])
    await verifier.verify(tokens[3])
    assert verifier.remembered(tokens[1]) is None
    assert verifier.remembered(tokens[0]) is not None


async def test_a_revoked_session_ends_a_remembered_token(
    verifier: TokenVerifier, signer: Any, revocations: Revocations
) -> None:
    session_id = uuid7()
    token, other = signer.token(session_id=session_id), signer.token()
    await verifier.verify(token)
    await verifier.verify(other)
    revocations.revoke_session(session_id, expires_at=FAR)
    assert await refused(verifier, token) == "unauthenticated"
    assert await refused(verifier, token) == "unauthenticated"
    await verifier.verify(other)


async def test_a_change_of_rights_ends_older_tokens_with_its_own_code(
    verifier: TokenVerifier, signer: Any, revocations: Revocations
) -> None:
    user_id = uuid7()
    old, new = signer.token(user_id=user_id, version=1), signer.token(user_id=user_id, version=2)
    revocations.revoke_user(user_id, 2, expires_at=FAR, code="token_expired")
    assert await refused(verifier, old) == "token_expired"
    await verifier.verify(new)
    revocations.revoke_user(user_id, 3, expires_at=FAR)
    assert await refused(verifier, old) == "unauthenticated"
    assert await refused(verifier, new) == "unauthenticated"


async def test_revocations_in_any_order_and_twice_are_the_same(signer: Any, moment: Moment) -> None:
    user_id = uuid7()
    revocations = Revocations()
    for version in (5, 3, 5):
        revocations.revoke_user(user_id, version, expires_at=FAR)
    verifier = TokenVerifier(Keys(signer), revocations, "examhall", "examhall-api", clock=moment)
    assert await refused(verifier, signer.token(user_id=user_id, version=4)) == "unauthenticated"
    await verifier.verify(signer.token(user_id=user_id, version=5))


def test_revocations_are_forgotten_when_no_token_is_left() -> None:
    revocations = Revocations()
    revocations.revoke_session(uuid7(), expires_at=100.0)
    revocations.revoke_user(uuid7(), 2, expires_at=200.0)
    revocations.forget_expired(150.0)
    assert len(revocations) == 1
    revocations.forget_expired(200.0)
    assert len(revocations) == 0


def test_a_jwk_set_gives_only_ed25519_keys(signer: Any) -> None:
    foreign = {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"}
    keys = public_keys(json.dumps({"keys": [foreign, 7, {"kty": "OKP"}, signer.jwk]}).encode())
    assert list(keys) == ["k1"]
    for rubbish in (b"[]", b"{}", b"not json"):
        with pytest.raises(ValueError, match=r"not a JWK set|Expecting value"):
            public_keys(rubbish)
