"""The read-only REST API. It answers from memory, with the fields of the earlier system."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response, status
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from utxoracle_tui import __version__, clock
from utxoracle_tui.config.redaction import redact
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.serve.checks import Check, Checks
from utxoracle_tui.serve.follower import Follower, Held
from utxoracle_tui.serve.metrics import metrics_text
from utxoracle_tui.serve.models import HealthReport, PriceComparison, PriceEntry, Problem, ServiceCheck
from utxoracle_tui.serve.table import DAY_S, Table

GAPS_WITHIN_DAYS = 30
_JSON = "application/json"
_ABOUT = (
    "The price of bitcoin from the chain beside the exchange's, read-only. Observations whose last block is no longer "
    "on the chain are left out of all answers."
)
Days = Annotated[int, Query(ge=1, le=365, description="How many days back from now.")]
_UNREADABLE: dict[int | str, dict[str, Any]] = {503: {"model": Problem, "description": "The store can't be read"}}
_EMPTY: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "Nothing is stored yet"}}


class Answers:
    """What requests are answered from."""

    def __init__(self, follower: Follower, checks: Checks) -> None:
        self.follower = follower
        self.checks = checks
        self.started_at_s = clock.now_s()
        self._started_s = clock.elapsed_s()

    async def table(self) -> Table:
        """The prices. Raises `OperatorError` when the store can't be read."""
        held = await self.follower.held()
        if held.trouble is not None:
            raise held.trouble
        return held.table

    async def health(self) -> HealthReport:
        """How everything is, as far as is known now; nobody is asked."""
        held, now_s = await self.follower.held(), clock.now_s()
        missing = held.table.missing_dates(now_s, GAPS_WITHIN_DAYS)
        checks = {source.value: _service(check) for source, check in self.checks.newest.items()}
        statuses = {check.status for check in checks.values()}
        well = held.notice is None and bool(statuses) and statuses <= {"ok", "unknown"}
        unreadable = held.trouble is not None
        return HealthReport(
            status="unhealthy" if unreadable else "healthy" if well else "degraded",
            timestamp=_moment(now_s),
            uptime_seconds=clock.elapsed_s() - self._started_s,
            started_at=_moment(self.started_at_s),
            checks=checks,
            database="unreadable" if unreadable else "connected" if held.notice is None else "damaged",
            error=_trouble_of(held),
            network=held.network,
            gaps_detected=len(missing),
            missing_dates=missing,
        )


def make_app(answers: Answers) -> FastAPI:
    """The application; it does nothing of its own between requests."""
    app = FastAPI(
        title="utxoracle-tui",
        version=__version__,
        description=_ABOUT,
        # their pages load scripts from a public server, which would learn who looks
        docs_url=None,
        redoc_url=None,
    )
    app.state.answers = answers
    app.add_exception_handler(OperatorError, _unreadable)
    app.include_router(_router)
    return app


_router = APIRouter()


def _answers(request: Request) -> Answers:
    found: Answers = request.app.state.answers
    return found


@_router.get("/api/prices/latest", response_model=PriceEntry, responses=_EMPTY | _UNREADABLE)
async def latest(request: Request) -> Response:
    """The newest entry."""
    row = (await _answers(request).table()).latest()
    if row is None:
        return _problem(status.HTTP_404_NOT_FOUND, "empty", "Nothing is stored yet.")
    return Response(row, media_type=_JSON)


@_router.get("/api/prices/historical", response_model=list[PriceEntry], responses=_UNREADABLE)
async def historical(request: Request, days: Days = 7) -> Response:
    """All entries of a span, the oldest first."""
    table = await _answers(request).table()
    return Response(table.since(clock.now_s() - days * DAY_S), media_type=_JSON)


@_router.get("/api/prices/comparison", responses=_UNREADABLE)
async def comparison(request: Request, days: Days = 7) -> PriceComparison:
    """How far the two prices were apart over a span."""
    table = await _answers(request).table()
    return PriceComparison(**asdict(table.comparison(clock.now_s() - days * DAY_S)), timeframe_days=days)


@_router.get("/health", responses={503: {"model": HealthReport, "description": "The store can't be read"}})
async def health(request: Request, response: Response) -> HealthReport:
    """How the API, its store and the sources are. Asking costs the sources nothing."""
    report = await _answers(request).health()
    if report.status == "unhealthy":
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return report


@_router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """The newest entry, the store and the sources, for Prometheus."""
    answers = _answers(request)
    text = metrics_text(await answers.follower.held(), answers.checks, answers.started_at_s)
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


async def _unreadable(_: Request, error: Exception) -> Response:
    assert isinstance(error, OperatorError)
    return _problem(status.HTTP_503_SERVICE_UNAVAILABLE, error.kind, redact(error.message))


def _problem(code: int, kind: str, sentence: str) -> Response:
    return JSONResponse(Problem(error=sentence, kind=kind).model_dump(), status_code=code)


def _trouble_of(held: Held) -> str | None:
    sentence = held.trouble.message if held.trouble is not None else held.notice
    return redact(sentence) if sentence is not None else None


def _service(check: Check) -> ServiceCheck:
    return ServiceCheck(
        status=check.status,
        latency_ms=check.latency_s * 1000 if check.latency_s is not None else None,
        error=check.error,
        last_success=_moment(check.answered_at_s) if check.answered_at_s is not None else None,
        age_seconds=clock.elapsed_s() - check.looked_s,
    )


def _moment(time_s: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(time_s, dt.UTC)
