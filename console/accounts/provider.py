"""The organisation's own sign-in: OpenID Connect, authorization code with PKCE.

What the provider says is believed after its signature, issuer, audience, nonce and time were
checked, and only for an account that an administrator linked, or whose role a setting gives
by a claim. State and nonce lie in the database for a few minutes, used once, bound to the
browser that asked: any console process takes the answer. Nothing here is needed to sign in
with a password: a provider that is away is told so, and that is all.
"""

import datetime as dt
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
import structlog
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

log = structlog.get_logger(__name__)

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384")
TIMEOUT_S: Final = 5.0
# How long its own description and keys are believed before they are asked for again.
KEPT_FOR: Final = dt.timedelta(minutes=10)
LEEWAY_S: Final = 60
# A token that is older than this answers no question of now.
ANSWER_AGE_S: Final = 600


class ProviderError(Exception):
    """The provider's sign-in did not come about; `code` says why (`provider.<code>` in the texts)."""

    def __init__(self, code: str) -> None:
        super().__init__(f"sign-in by the provider: {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Which provider, and what of its answer says who somebody is."""

    issuer: str
    client_id: str
    # Read when it is needed: a secret that is changed needs no restart. None: a public client.
    secret_file: Path | None = None
    name: str = ""
    claim: str = "sub"
    scopes: str = "openid"
    # The claim that gives roles, and its values; empty: no account is made by itself.
    role_claim: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    # Whether the provider asks for a second factor itself, so that ours is not asked on top.
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """Who the provider says somebody is."""

    # A hash of issuer and claim, as `User.provider_key` has it.
    key: str
    suggested_name: str
    # What the role claim gives here; None: nothing.
    role: str | None


def provider_key(issuer: str, claim: str, value: str) -> str:
    """What an account is linked by: who somebody is to one provider, not readable in the database."""
    spelt = value.strip().casefold() if claim == "email" else value.strip()
    return hashlib.sha256(f"{issuer}\n{claim}\n{spelt}".encode()).hexdigest()


class Provider:
    """Talks to one provider. Safe to share between threads."""

    def __init__(self, settings: ProviderSettings, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self._transport = transport
        self._lock = threading.Lock()
        self._known: tuple[dt.datetime, dict[str, Any], KeySet] | None = None

    def address(
        self, redirect_uri: str, state: str, nonce: str, verifier: str, at: dt.datetime, *, anew: bool
    ) -> str:
        """Where the browser goes to. `anew`: the provider must ask who it is, whoever is signed in there.

        Raises `ProviderError` (`unreachable`, `bad_issuer`).
        """
        described, _ = self._described(at)
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        if anew:
            asked |= {"prompt": "login", "max_age": "0"}
        endpoint = str(described["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def answer(
        self, code: str, redirect_uri: str, nonce: str, verifier: str, at: dt.datetime, *, anew: bool
    ) -> Said:
        """Turns the code that the browser brought into who it is. Raises `ProviderError`."""
        described, keys = self._described(at)
        token = self._token(str(described["token_endpoint"]), code, redirect_uri, verifier)
        try:
            claims = self._claims(token, keys)
        except _UnknownKeyError:
            # Its keys were changed since we asked.
            _, keys = self._described(at, fresh=True)
            try:
                claims = self._claims(token, keys)
            except _UnknownKeyError:
                raise ProviderError("bad_signature") from None
        check(claims, self.settings, nonce, at, anew=anew)
        return said(claims, self.settings)

    def _token(self, endpoint: str, code: str, redirect_uri: str, verifier: str) -> str:
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.settings.client_id,
            "code_verifier": verifier,
        }
        secret = self._secret()
        # RFC 6749 2.3.1: both halves are form-encoded before they become Basic.
        auth = (
            httpx.BasicAuth(quote(self.settings.client_id, safe=""), quote(secret, safe=""))
            if secret
            else httpx.Auth()
        )
        try:
            with self._client() as client:
                answer = client.post(endpoint, data=asked, auth=auth, headers={"Accept": "application/json"})
                given = answer.json() if answer.is_success else None
        except httpx.HTTPError as error:
            log.warning("provider.unreachable", error=type(error).__name__)
            raise ProviderError("unreachable") from None
        except ValueError:
            given = None
        token = given.get("id_token") if isinstance(given, dict) else None
        if not isinstance(token, str):
            raise ProviderError("refused")
        return token

    def _secret(self) -> str | None:
        if self.settings.secret_file is None:
            return None
        try:
            return self.settings.secret_file.read_text(encoding="utf-8").strip()
        except OSError:
            raise ProviderError("no_secret") from None

    def _claims(self, token: str, keys: KeySet) -> dict[str, Any]:
        try:
            return dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)
        except InvalidKeyIdError:
            raise _UnknownKeyError from None
        except (JoseError, ValueError):
            raise ProviderError("bad_signature") from None

    def _client(self) -> httpx.Client:
        # No redirects, no proxy of the environment: what is asked is the address that was set.
        return httpx.Client(
            timeout=TIMEOUT_S, follow_redirects=False, transport=self._transport, trust_env=False
        )

    def _described(self, at: dt.datetime, *, fresh: bool = False) -> tuple[dict[str, Any], KeySet]:
        with self._lock:
            known = self._known
        if known is not None and not fresh and at - known[0] < KEPT_FOR:
            return known[1], known[2]
        issuer = self.settings.issuer
        try:
            with self._client() as client:
                found = client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                described = found.raise_for_status().json()
                if not isinstance(described, dict) or described.get("issuer") != issuer:
                    raise ProviderError("bad_issuer")
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    if not same_trust(issuer, described.get(name)):
                        raise ProviderError("bad_issuer")
                keys = KeySet.import_key_set(client.get(described["jwks_uri"]).raise_for_status().json())
        except (httpx.HTTPError, ValueError, JoseError) as error:
            log.warning("provider.unreachable", error=type(error).__name__)
            raise ProviderError("unreachable") from None
        with self._lock:
            self._known = (at, described, keys)
        return described, keys


def same_trust(issuer: str, endpoint: object) -> bool:
    """Whether an endpoint is an address at all, and not plain http where the issuer is https."""
    if not isinstance(endpoint, str):
        return False
    return endpoint.startswith("https://") or (
        issuer.startswith("http://") and endpoint.startswith("http://")
    )


def check(
    claims: Mapping[str, Any], settings: ProviderSettings, nonce: str, at: dt.datetime, *, anew: bool
) -> None:
    """The claims of a token whose signature held, by OpenID Connect Core 3.1.3.7. Raises `ProviderError`."""
    now = at.timestamp()
    if claims.get("iss") != settings.issuer:
        raise ProviderError("bad_issuer")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    party = claims.get("azp", settings.client_id if len(audiences) == 1 else None)
    if settings.client_id not in audiences or party != settings.client_id:
        raise ProviderError("bad_audience")
    if not isinstance(claims.get("nonce"), str) or claims["nonce"] != nonce:
        raise ProviderError("bad_nonce")
    ends, made = _number(claims.get("exp")), _number(claims.get("iat"))
    if ends is None or made is None or now > ends + LEEWAY_S or not -LEEWAY_S <= now - made <= ANSWER_AGE_S:
        raise ProviderError("expired")
    if anew:
        shown = _number(claims.get("auth_time"))
        if shown is None or now - shown > ANSWER_AGE_S:
            raise ProviderError("not_anew")


def said(claims: Mapping[str, Any], settings: ProviderSettings) -> Said:
    """Who the checked claims speak of. Raises `ProviderError` where they speak of nobody."""
    value = claims.get(settings.claim)
    if not isinstance(value, str) or not value.strip():
        raise ProviderError("no_claim")
    if settings.claim == "email" and claims.get("email_verified") is not True:
        # Anybody could have written any address into their profile.
        raise ProviderError("email_unverified")
    given = claims.get(settings.role_claim) if settings.role_claim else None
    values = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    roles = {settings.roles[one] for one in values if isinstance(one, str) and one in settings.roles}
    suggested = claims.get("preferred_username")
    return Said(
        provider_key(settings.issuer, settings.claim, value),
        suggested if isinstance(suggested, str) else value,
        # Two roles at once are none: which of them it is, an administrator says.
        roles.pop() if len(roles) == 1 else None,
    )


class _UnknownKeyError(Exception):
    """Signed with a key that the provider had not told of."""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
