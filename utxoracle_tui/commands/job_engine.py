"""The job engine as settings make it: for `backfill` and `rerun`, and for whoever works on jobs beside other things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from utxoracle_tui.commands.block_files import NodesBlockFiles
from utxoracle_tui.commands.node import limits_of
from utxoracle_tui.commands.stored import retention_of
from utxoracle_tui.config.paths import data_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.exchange_past import ExchangePast
from utxoracle_tui.engine.jobs.care import Budget, QuietHours
from utxoracle_tui.engine.jobs.job_pricing import JobPricing
from utxoracle_tui.engine.jobs.plan import Planner
from utxoracle_tui.engine.jobs.rest import RestRules
from utxoracle_tui.engine.jobs.runner import JobEngine
from utxoracle_tui.engine.jobs.turns import CareReading, Turns
from utxoracle_tui.engine.jobs.window_work import WindowWork
from utxoracle_tui.engine.live_jobs import JobPlanner, JobRunner, LiveJobs
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.engine.pricing import DigestKeeper
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.store.store import Store, digests_of

_MOST_AT_ONCE = 3
"""Windows side by side: the digests of a day on the main network are 22 MB."""


def budget_of(settings: Settings) -> Budget:
    """What jobs may ask of the node."""
    jobs = settings.jobs
    return Budget(jobs.max_in_flight, jobs.mb_per_s, QuietHours.read(jobs.quiet_hours))


class JobWorkshop:
    """Makes engines for one store and node. There must be one for a process, so that all its jobs share one budget."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        client: BitcoinCore,
        workers: Workers,
        precedence: Precedence | None = None,
        *,
        files: NodesBlockFiles | None = None,
        exchange: Exchange | None = None,
    ) -> None:
        """Live work that takes `precedence` goes first; `files` are given where it shares them, and `exchange` where
        windows are to be set beside the prices of their time.
        """
        self._settings = settings
        self._store = store
        self._client = client
        self._workers = workers
        self._past = ExchangePast(store, exchange) if exchange else None
        folder = data_dir(settings.store.data_dir)

        @cache
        def kept_for(network: str) -> DigestKeeper | None:
            return digests_of(folder, network, retention_of(settings))

        self._turns = Turns(
            budget_of(settings), precedence or Precedence(), lambda: client.load, processors=workers.count
        )
        self._files = files or NodesBlockFiles(settings, keep=True)
        self._windows = JobPricing(client, workers, self._turns, kept_for, self._files)
        self.planner = Planner(store, client, self._windows, workers.count)

    @property
    def care(self) -> CareReading:
        """How the node is spared, and where blocks come from."""
        came_from = tuple(self._windows.came_from.items())
        return replace(self._turns.reading, files=self._files.reading, came_from=came_from)

    def engine(self, only: str | None = None) -> JobEngine:
        """An engine for all jobs, or for the one with a key."""
        work = WindowWork(
            self._store,
            self._windows,
            self._client,
            limits_of(self._settings),
            data_dir=self._settings.store.data_dir,
            past=self._past,
        )
        rules = RestRules(self._client, self._turns.budget.quiet_hours)
        at_once = min(self._workers.count + 1, _MOST_AT_ONCE)
        return JobEngine(self._store, work, lambda: self.care, rules, at_once=at_once, only=only)


def live_jobs(
    settings: Settings,
    client: BitcoinCore,
    workers: Workers,
    *,
    exchange: Exchange,
    precedence: Precedence,
    opened: Callable[[], Store | None],
    readable: Callable[[], Store | None] | None = None,
) -> LiveJobs:
    """Work on jobs beside rounds, in the store that `opened` gives as soon as it is open; `readable` as `LiveJobs` has
    it.
    """

    def tools_in(store: Store) -> tuple[JobPlanner, JobRunner]:
        workshop = JobWorkshop(settings, store, client, workers, precedence, exchange=exchange)
        return workshop.planner, workshop.engine()

    return LiveJobs(opened, tools_in, readable)
