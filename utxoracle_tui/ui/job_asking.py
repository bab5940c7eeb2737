"""Asking for backfills and reruns, as several screens do: what it would take, a question, and what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import work

from utxoracle_tui import formats
from utxoracle_tui.engine.jobs.forecast import Forecast
from utxoracle_tui.engine.jobs.plan import JobPlan
from utxoracle_tui.engine.jobs.wanted import Days, Wanted, title
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.key_names import key_of
from utxoracle_tui.ui.returning import Returning
from utxoracle_tui.ui.screens.confirm import Confirm


class JobAsking(Returning[None]):
    """A screen from which jobs are asked for."""

    def __init__(self, parts: EngineParts) -> None:
        super().__init__()
        self._parts = parts

    def ask_for_backfill(self, wanted: Days) -> None:
        """Have what is missing of some days worked out, after telling what it takes, and a yes."""
        self.notify("A few blocks of these days are looked at, to tell what it takes …", timeout=3)
        self._preview(wanted)

    def ask_for_rerun(self, wanted: Wanted, what: str, asked: Callable[[], None] | None = None) -> None:
        """Have windows worked out anew, after a yes; `asked` is called when that is asked for."""

        def answered(yes: bool | None) -> None:
            if yes:
                self._rerun(wanted, asked)

        self.app.push_screen(Confirm(f"Work out {what} anew? The new result takes the place of the old."), answered)

    @work(exclusive=True, group="preview of a job", exit_on_error=False)
    @guarded
    async def _preview(self, wanted: Days) -> None:
        try:
            preview = await self._parts.jobs.preview("backfill", wanted)
        except OperatorError as error:
            self.notify(error.message, severity="error", timeout=10)
            return
        if preview.forecast is None:
            if preview.plan.impossible:
                self.notify(_impossible(preview.plan), severity="warning", timeout=10)
            else:
                self.notify(
                    f"All days from {wanted.first} to {wanted.last} are there. "
                    f"{key_of(self, 'windows.rerun')} does marked ones again."
                )
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._begin(wanted)

        self.app.push_screen(Confirm(_question(wanted, preview.plan, preview.forecast)), answered)

    @work(group="ask for jobs", exit_on_error=False)
    @guarded
    async def _begin(self, wanted: Days) -> None:
        await self._ask_for(self._parts.jobs.backfill(wanted))

    @work(group="ask for jobs", exit_on_error=False)
    @guarded
    async def _rerun(self, wanted: Wanted, asked: Callable[[], None] | None) -> None:
        await self._ask_for(self._parts.jobs.rerun(wanted))
        if asked is not None:
            asked()

    async def _ask_for(self, asking: Awaitable[JobPlan]) -> None:
        try:
            plan = await asking
        except OperatorError as error:
            self.notify(error.message, severity="error", timeout=10)
            return
        if plan.impossible:
            self.notify(_impossible(plan), severity="warning", timeout=10)
        if plan.job is not None:
            verb = "goes on" if plan.goes_on else "is in the queue"
            self.notify(f"{title(plan.job)} {verb}. {key_of(self, 'go.jobs')} shows how it goes.")
        elif not plan.impossible:
            self.notify("There is nothing to do: all of it is there.")


def _impossible(plan: JobPlan) -> str:
    count = formats.plural(len(plan.impossible), "window")
    return f"The node is pruned and has deleted the blocks of {count}: they can't be had from it."


def _question(wanted: Days, plan: JobPlan, forecast: Forecast) -> str:
    asked = (wanted.last - wanted.first).days + 1
    count = formats.plural(asked, "day")
    of = f"the {forecast.windows} of {count} that are missing" if forecast.windows < asked else count
    first = f"Backfill {of}, {wanted.first} to {wanted.last}?" if asked > 1 else f"Backfill {wanted.first}?"
    warning = [_impossible(plan)] if plan.impossible else []
    rows = "\n".join(f"{name:<8} {what}" for name, what in forecast.rows)
    return "\n\n".join([first, rows, *warning, "It goes on by itself after a restart."])
