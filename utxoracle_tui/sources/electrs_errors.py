"""What can go wrong with electrs's ports, each with its sentence for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.http import ExchangeFailed, Failure


class Port(StrEnum):
    """The ports of electrs that the console reads, as sentences name them."""

    METRICS = "metrics"
    REST = "REST"


@dataclass(frozen=True, slots=True)
class Door:
    """One port of one electrs."""

    port: Port
    host: str
    """Host and port, or the path of a socket."""

    def __str__(self) -> str:
        return f"electrs's {self.port} at {self.host}"


_FLAG = {Port.METRICS: "--monitoring-addr", Port.REST: "--http-addr"}
_CLOSED = {
    Port.METRICS: "electrs opens it in its first second: it isn't running, or listens elsewhere (--monitoring-addr).",
    Port.REST: "electrs opens it only when its whole first sync is done; until then this is no fault.",
}


class ElectrsError(OperatorError):
    """A request to electrs that failed: what happened, and what it means."""

    KIND: ClassVar[str] = "electrs_error"

    def __init__(self, door: Door, happened: str, meaning: str = "") -> None:
        self.door = door
        self.happened = happened
        self.meaning = meaning
        message = " ".join(part for part in (happened, "It is asked again soon.", meaning) if part)
        super().__init__(self.KIND, message, Exit.UNREACHABLE, door.host)


class ElectrsClosed(ElectrsError):
    """Nothing listens there."""

    KIND = "electrs_closed"

    def __init__(self, door: Door) -> None:
        happened = f"Nothing answers at {door.host}, the address of electrs's {door.port}: the connection is refused."
        super().__init__(door, happened, _CLOSED[door.port])


class ElectrsUnreachable(ElectrsError):
    """No connection comes about, or it breaks off."""

    KIND = "electrs_unreachable"


class ElectrsHanging(ElectrsError):
    """It took the request and says nothing."""

    KIND = "electrs_hanging"

    def __init__(self, door: Door, timeout_s: float) -> None:
        super().__init__(
            door,
            f"The port of {door} took the question and has not answered within {timeout_s:g} s.",
            "The machine may be overloaded, or electrs frozen; that alone is no proof that it is stuck.",
        )


class NotElectrs(ElectrsError):
    """What answers is not electrs, or not that port of it."""

    KIND = "not_electrs"

    def __init__(self, door: Door, fault: str) -> None:
        super().__init__(
            door,
            f"What answers at {door.host} is not electrs's {door.port}: the reply {fault}.",
            f"Compare the address with electrs's {_FLAG[door.port]}.",
        )


def no_exchange(door: Door, failed: ExchangeFailed, timeout_s: float) -> ElectrsError:
    """The error for an exchange that never came about, or broke off."""
    detail = f" ({failed.detail})" if failed.detail else ""
    match failed.failure:
        case Failure.REFUSED:
            return ElectrsClosed(door)
        case Failure.SILENT:
            return ElectrsHanging(door, timeout_s)
        case Failure.GARBLED | Failure.TOO_BIG:
            return NotElectrs(door, "is not HTTP" if failed.failure is Failure.GARBLED else f"is too big{detail}")
    happened, advice = {
        Failure.NAME: (f"The name of {door.host} is not known{detail}.", "Check the address."),
        Failure.CLOSED: (f"{door.host} closed the connection in the middle of a request{detail}.", ""),
    }.get(failed.failure, (f"No connection to {door} comes about{detail}.", "Check the address."))
    return ElectrsUnreachable(door, happened, advice)
