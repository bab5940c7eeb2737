"""What can go wrong with Docker, each with its sentence for the operator."""

from __future__ import annotations

from typing import ClassVar

from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.http import ExchangeFailed, Failure, clean_text


class DockerError(OperatorError):
    """A question to Docker that failed: what happened, what that means, what the operator can do.

    `socket` is the path of the unix socket; it is what `host` holds.
    """

    KIND: ClassVar[str] = "docker_error"
    EXIT: ClassVar[Exit] = Exit.UNREACHABLE

    def __init__(self, socket: str, happened: str, done: str = "", advice: str = "") -> None:
        text = " ".join(part for part in (happened, done, advice) if part)
        super().__init__(self.KIND, text, self.EXIT, socket)


class DockerAbsent(DockerError):
    """There is no socket."""

    KIND = "docker_absent"

    def __init__(self, socket: str) -> None:
        super().__init__(
            socket,
            f"There is no Docker socket {socket}: Docker is not installed, has never been started, or has its socket "
            "elsewhere.",
            "Nothing is said about containers.",
            "If the stack runs without Docker, all is well; else start it (`sudo systemctl start docker`), or give "
            "the path of its socket.",
        )


class DockerDenied(DockerError):
    """This user may not use the socket."""

    KIND = "docker_denied"

    def __init__(self, socket: str) -> None:
        super().__init__(
            socket,
            f"This user may not use the Docker socket {socket} (permission denied); Docker itself may be well.",
            "Nothing is said about containers.",
            "To allow it: `sudo usermod -aG docker $USER`, then log in again; who may use Docker has the power of root "
            "on this machine.",
        )


class DockerDown(DockerError):
    """The socket is there, and nothing answers on it, or no longer."""

    KIND = "docker_down"


class DockerHanging(DockerError):
    """Docker took the question and doesn't answer."""

    KIND = "docker_hanging"

    def __init__(self, socket: str, what: str, timeout_s: float) -> None:
        super().__init__(
            socket,
            f"Docker at {socket} has not answered {what} within {timeout_s:g} s.",
            "It is asked again with the next look at the stack.",
            "See whether its disk is overloaded (`docker info`, `journalctl -u docker`).",
        )


class DockerNonsense(DockerError):
    """A reply that Docker would not give."""

    KIND = "docker_nonsense"

    def __init__(self, socket: str, what: str, fault: str) -> None:
        super().__init__(
            socket,
            f"What answers at {socket} talks nonsense: its reply to {what} {fault}.",
            "The reply is not used.",
            "Check that this is the socket of Docker's Engine API.",
        )


class NoSuchContainer(DockerError):
    """Docker has no container of this name (HTTP 404)."""

    KIND = "no_such_container"
    EXIT = Exit.FAILED

    def __init__(self, socket: str, name: str) -> None:
        self.name = clean_text(name)
        super().__init__(
            socket,
            f"Docker at {socket} has no container {self.name}.",
            advice="See `docker ps -a` for the names there are; it may have been removed, or be named differently.",
        )


class LogsUnavailable(DockerError):
    """The container's log driver can't be read back (HTTP 501)."""

    KIND = "docker_logs_unavailable"
    EXIT = Exit.FAILED

    def __init__(self, socket: str, name: str, said: str) -> None:
        quoted = f": {clean_text(said).rstrip('.')}" if said else ""
        super().__init__(
            socket,
            f"Docker at {socket} can't read back the log of {clean_text(name)}{quoted} (HTTP 501).",
            advice="Give the container the log driver json-file, local or journald; it has to be made anew for that.",
        )


class DockerFailed(DockerError):
    """Docker says that it failed; `said` is its own word, `status` None where it said so in the middle of a log."""

    KIND = "docker_failed"
    EXIT = Exit.FAILED

    def __init__(self, socket: str, what: str, status: int | None, said: str) -> None:
        self.said = clean_text(said).rstrip(".")
        quoted = f": {self.said}" if self.said else ""
        super().__init__(
            socket,
            f"Docker at {socket} failed at {what}{quoted}{'' if status is None else f' (HTTP {status})'}.",
            advice="Its log says more (`journalctl -u docker`).",
        )


def no_exchange(socket: str, what: str, failed: ExchangeFailed, timeout_s: float) -> DockerError:
    """The error for an exchange that never came about, or broke off."""
    detail = f" ({failed.detail})" if failed.detail else ""
    happened = f"No connection to Docker at {socket} comes about{detail}."
    advice = "Check the path of the socket, and Docker (`systemctl status docker`)."
    match failed.failure:
        case Failure.NO_SOCKET:
            return DockerAbsent(socket)
        case Failure.DENIED:
            return DockerDenied(socket)
        case Failure.SILENT:
            return DockerHanging(socket, what, timeout_s)
        case Failure.GARBLED | Failure.TOO_BIG:
            garbled = failed.failure is Failure.GARBLED
            return DockerNonsense(socket, what, "is not HTTP" if garbled else f"is too big{detail}")
        case Failure.CLOSED:
            happened = f"Docker at {socket} closed the connection in the middle of {what}."
            advice = "See whether it is being restarted; containers may go on without it."
        case Failure.REFUSED:
            happened = f"The Docker socket {socket} is there, and nothing listens on it: Docker is not running."
            advice = "Start it: `sudo systemctl start docker`."
        case _:
            pass
    return DockerDown(socket, happened, "The next question connects anew.", advice)
