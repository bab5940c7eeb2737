"""What can go wrong with a mempool backend, each with its sentence for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from utxoracle_tui import formats
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.http import ExchangeFailed, Failure, clean_text


class PriceSource(StrEnum):
    """Who said a price."""

    OWN = "own"
    """The operator's own backend."""
    PUBLIC = "public"
    """The public instance, which learns the operator's address by being asked."""


@dataclass(frozen=True, slots=True)
class Service:
    """The server that errors are about."""

    host: str
    source: PriceSource

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        own = self.source is PriceSource.OWN
        return f"the mempool backend at {self.host}" if own else f"the public mempool instance {self.host}"

    @property
    def title(self) -> str:
        """Its name at the start of a sentence."""
        return self.name[0].upper() + self.name[1:]


class MempoolError(OperatorError):
    """A request to a mempool backend that failed: what happened, what is done about it, what the operator can do."""

    KIND: ClassVar[str] = "mempool_error"
    EXIT: ClassVar[Exit] = Exit.UNREACHABLE

    def __init__(self, service: Service, happened: str, done: str = "", advice: str = "") -> None:
        self.source = service.source
        self.happened = happened
        self.advice = advice
        text = " ".join(part for part in (happened, done, advice) if part)
        super().__init__(self.KIND, text, self.EXIT, service.host)


class BackendUnreachable(MempoolError):
    """Nothing answers there: refused, unknown name, no way, connection reset, or a front end alone."""

    KIND = "mempool_unreachable"


class BackendHanging(MempoolError):
    """The backend took the request and doesn't answer, or too slowly."""

    KIND = "mempool_hanging"

    def __init__(self, service: Service, what: str, timeout_s: float) -> None:
        own = "See whether its container is frozen, or its database or disk overloaded."
        super().__init__(
            service,
            f"{service.title} has not answered {what} within {timeout_s:g} s.",
            "It is asked again when the price is next due.",
            own if service.source is PriceSource.OWN else "",
        )


class BackendNotReady(MempoolError):
    """The backend is up and knows no block yet (HTTP 503)."""

    KIND = "mempool_not_ready"

    def __init__(self, service: Service, what: str) -> None:
        super().__init__(
            service,
            f"{service.title} has no {what} yet (HTTP 503): it knows no block so far.",
            "It is asked again later.",
            "It starts so while Bitcoin Core or electrs, which it asks, do not answer: look at those first.",
        )


class NotServed(MempoolError):
    """The backend has no such path (HTTP 404)."""

    KIND = "mempool_not_served"

    def __init__(self, service: Service, what: str, *, left_to_electrs: bool = False) -> None:
        self.left_to_electrs = left_to_electrs
        if left_to_electrs:
            advice = "With BACKEND=esplora it leaves that to electrs; ask electrs itself."
        else:
            advice = "Check that the address is that of the backend (port 8999) or of its front end, without /api."
        super().__init__(service, f"{service.title} does not serve {what} (HTTP 404).", advice=advice)


class BackendFailed(MempoolError):
    """The backend says that it failed; `said` is its own word."""

    KIND = "mempool_failed"
    EXIT = Exit.FAILED

    def __init__(self, service: Service, what: str, status: int, said: str) -> None:
        self.said = clean_text(said).rstrip(".")
        quoted = f": {self.said}" if self.said else ""
        own = "Its log says more; often its database, Bitcoin Core or electrs does not answer it."
        super().__init__(
            service,
            f"{service.title} failed at {what}{quoted} (HTTP {status}).",
            advice=own if service.source is PriceSource.OWN else "",
        )


class AccessRefused(MempoolError):
    """Something in between wants credentials or forbids this machine (HTTP 401, 403, 407)."""

    KIND = "mempool_refused"

    def __init__(self, service: Service, what: str, status: int) -> None:
        own = "The backend itself asks for no password: look at the web server in front of it."
        public = "It may have banned this address for too many requests; it is left alone for a while."
        super().__init__(
            service,
            f"{service.title} refuses {what} (HTTP {status}).",
            advice=own if service.source is PriceSource.OWN else public,
        )


class RateLimited(MempoolError):
    """Too many requests (HTTP 429); `wait_s` is how long it wants none, None where it doesn't say."""

    KIND = "mempool_rate_limited"

    def __init__(self, service: Service, wait_s: float | None) -> None:
        self.wait_s = wait_s
        span = f"for {formats.span(wait_s)}" if wait_s is not None else "for a while"
        if service.source is PriceSource.PUBLIC:
            done = f"It is not asked {span}."
            advice = "Whatever else asks it from this address counts as well."
        else:
            done = ""
            advice = "The backend itself has no limit: raise that of the web server in front of it."
        super().__init__(service, f"{service.title} wants fewer requests (HTTP 429).", done, advice)


class ProxyUnusable(MempoolError):
    """The proxy that the environment names can't be used."""

    KIND = "proxy_unusable"
    EXIT = Exit.USAGE

    def __init__(self, service: Service) -> None:
        super().__init__(
            service,
            f"The proxy that the environment names for {service.name} can't be used.",
            advice="HTTP_PROXY, HTTPS_PROXY and ALL_PROXY take http:// addresses; SOCKS is not supported.",
        )


class BackendNonsense(MempoolError):
    """A reply that a mempool backend would not give."""

    KIND = "mempool_nonsense"

    def __init__(self, service: Service, what: str, fault: str) -> None:
        own = "Check that this is the backend's own port (8999) or its front end, and nothing else."
        super().__init__(
            service,
            f"What answers at {service.host} talks nonsense: its reply to {what} {fault}.",
            "The reply is not used.",
            own if service.source is PriceSource.OWN else "A proxy or a login page may be in between.",
        )


def no_exchange(service: Service, what: str, failed: ExchangeFailed, timeout_s: float) -> MempoolError:
    """The error for an exchange that never came about, or broke off."""
    detail = f" ({failed.detail})" if failed.detail else ""
    start = "Start the backend, or check its address: it listens on port 8999, its front end on 8080 or 80."
    network = "Check the connection to the internet, and the proxy if the environment names one."
    own = service.source is PriceSource.OWN
    happened, advice = f"No connection to {service.name} comes about{detail}.", start if own else network
    match failed.failure:
        case Failure.SILENT:
            return BackendHanging(service, what, timeout_s)
        case Failure.GARBLED:
            return BackendNonsense(service, what, "is not HTTP")
        case Failure.TOO_BIG:
            return BackendNonsense(service, what, f"is too big{detail}")
        case Failure.REFUSED:
            happened = f"Nothing answers at {service.host}: the connection is refused."
        case Failure.NAME:
            happened = f"The name of {service.host} is not known{detail}."
            advice = "Check the address and the name server." if own else network
        case Failure.TLS:
            happened = f"No encrypted connection to {service.host} comes about{detail}."
            advice = "The backend itself speaks plain http://; with a proxy before it, check the certificate."
        case Failure.CLOSED:
            happened = f"{service.title} closed the connection in the middle of {what}{detail}."
            advice = "See whether it is being restarted." if own else ""
        case Failure.PROXY:
            happened = f"The proxy before {service.name} refuses{detail}."
            advice = "Check the proxy that the environment names."
        case _:
            pass
    return BackendUnreachable(service, happened, "The next request connects anew.", advice)


def only_the_front_end(service: Service, what: str, status: int) -> BackendUnreachable:
    """The error for a web server that answers while the backend behind it doesn't (HTTP 502, 504)."""
    return BackendUnreachable(
        service,
        f"The web server at {service.host} answers, the backend behind it does not (HTTP {status} to {what}).",
        "The next request tries again.",
        "Start the backend (`docker compose up -d api` in the stock stack), or see in its log why it stopped."
        if service.source is PriceSource.OWN
        else "",
    )
