"""The console itself: its screens, its theme, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import ModalScreen, Screen
from textual.signal import Signal
from textual.timer import Timer
from textual.widget import Widget

from utxoracle_tui import start_up
from utxoracle_tui.config.settings import Screen as Look
from utxoracle_tui.ui.ascii_filter import AsciiFilter
from utxoracle_tui.ui.keymap import spelt_key
from utxoracle_tui.ui.remembered import Arranged, ChosenTheme, Remembering
from utxoracle_tui.ui.theme import BLACK_AND_ORANGE, THEMES, WHITE_AND_ORANGE
from utxoracle_tui.ui.widgets.keys_help import KeysHelp

if TYPE_CHECKING:
    from utxoracle_tui.ui.key_places import Keys

DEFAULT_LOOK = Look()
_ASCII = AsciiFilter()
_DRAWN_AFTER_S = 0.005
"""Long enough for a screen to be drawn once and whole when it is gone to."""
_REMEMBER_AFTER_S = 1.0
_REMEMBERED_WITHIN_S = 0.5
"""A disk that hangs must not keep the console open."""


class Console(App[None]):
    """The full-screen console, on the screen that it is given."""

    TITLE = "utxoracle-tui"
    # a picture that many terminals have no character for, or count as narrower than they draw it
    CSS = "CommandPalette SearchIcon { display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit", id="app.quit"),
        Binding("question_mark", "toggle_help", "Help", id="app.help"),
        # before whatever else it does: what was opened last is closed first
        Binding("escape", "close_help", "Close help", id="app.close_help", show=False, priority=True),
        Binding("colon", "command_palette", "Commands", id="app.commands", show=False),
        Binding("J", "jump", "Jump", id="app.jump", show=False),
    ]

    def __init__(
        self,
        first_screen: Screen[None] | None,
        close: Callable[[], Awaitable[None]] | None = None,
        look: Look = DEFAULT_LOOK,
        remembering: Remembering | None = None,
    ) -> None:
        """`close` is awaited at the end, to give back what the screens worked with. Without a screen, `open_first` has
        to be overridden.
        """
        super().__init__()
        self.look = look
        self.look_signal: Signal[Look] = Signal(self, "look")
        self.remembering = remembering or Remembering()
        self._remember_timer: Timer | None = None
        self._first_screen = first_screen
        self.data_dir: Path | None = None
        """Where a fault is written down; None for the platform's place."""
        self._close_sources = close

    def on_mount(self) -> None:
        """Open the first screen, and end when the terminal goes away."""
        self.set_keymap(dict(self._keys().changed))
        self.register_theme(BLACK_AND_ORANGE)
        self.register_theme(WHITE_AND_ORANGE)
        chosen = self.remembering.now.theme
        is_chosen = chosen is not None and chosen.over == self.look.theme and chosen.name in THEMES
        self.theme = THEMES[chosen.name if chosen is not None and is_chosen else self.look.theme]
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                # not on a loop outside the main thread, nor on Windows
                with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                    loop.add_signal_handler(getattr(signal, name), self.exit)
        self.open_first()
        self.call_after_refresh(start_up.over)

    def start(self) -> None:
        """Take the terminal over until the operator quits."""
        self.run(mouse=self.look.mouse)

    def get_driver_class(self) -> type[Driver]:
        """What talks to the terminal: never so that the console waits for it."""
        driver = super().get_driver_class()
        if sys.platform != "win32":
            from textual.drivers.linux_driver import LinuxDriver  # noqa: PLC0415  (there is none on Windows)

            from utxoracle_tui.ui.terminal import SteadyDriver  # noqa: PLC0415

            if driver is LinuxDriver:
                return SteadyDriver
        return driver

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What all lines go through before they are shown."""
        filters = super().get_line_filters()
        return [*filters, _ASCII] if self.look.ascii else filters

    def open_first(self) -> None:
        """Open the first screen."""
        if self._first_screen is not None:
            self.push_screen(self._first_screen)

    @on(Arranged)
    def _arranged(self, message: Arranged) -> None:
        """Take in how the console is arranged now, and write it soon: keys are pressed in bursts."""
        if self.remembering.change(message.fields) and self._remember_timer is None:
            self._remember_timer = self.set_timer(_REMEMBER_AFTER_S, self._remember)

    def _remember(self) -> None:
        self._remember_timer = None
        self.remembering.start_writing()

    async def on_unmount(self) -> None:
        """End what is at work, and then close the sources: nothing is to open a connection behind their back."""
        remembered = self.remembering.start_writing()
        at_work = list(self.workers)
        self.workers.cancel_all()
        await asyncio.gather(*(worker.wait() for worker in at_work), return_exceptions=True)
        if self._close_sources is not None:
            await self._close_sources()
        await asyncio.to_thread(remembered.join, _REMEMBERED_WITHIN_S)

    def key_of(self, binding: str) -> str:
        """The key of a binding, by its id, for a sentence that names it."""
        return self.key_name(self._keys().first(binding))

    def key_name(self, key: str) -> str:
        """What a key is called on the screen, wherever it is named."""
        return self.get_key_display(Binding(key, "", ""))

    def get_key_display(self, binding: Binding) -> str:
        """As in Textual, but for its signs where there are none on the terminal."""
        shown = super().get_key_display(binding)
        return spelt_key(shown) if self.look.ascii else shown

    def _keys(self) -> Keys:
        from utxoracle_tui.ui.key_places import checked_keys  # noqa: PLC0415  (it knows this module and all screens)

        return checked_keys(self.look.keys, self.look.remap)

    def delay_update(self, delay: float = 0.05) -> None:
        """As in Textual, which holds back what is drawn for a twentieth of a second whenever a screen is gone to."""
        super().delay_update(min(delay, _DRAWN_AFTER_S))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette has: all that keys do here, and the themes."""
        told: set[tuple[object, str]] = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.enabled and binding.description and (active.node, binding.action) not in told:
                told.add((active.node, binding.action))
                what = f"key {self.get_key_display(binding)}" + (f" · {binding.id}" if binding.id else "")
                yield SystemCommand(binding.description, what, partial(self.simulate_key, binding.key))
        what = "there again at the next start" if self.remembering.lasts else "until the console is closed"
        for name in THEMES:
            yield SystemCommand(f"Theme {name}", what, partial(self._choose_theme, name))

    def take_look(self, look: Look) -> None:
        """Look, and be worked, otherwise from now on. Raises `BadKeys`, and then all is as it was."""
        from utxoracle_tui.ui.key_places import checked_keys  # noqa: PLC0415  (as above)

        keys = checked_keys(look.keys, look.remap)
        before, self.look = self.look, look
        if look.theme != before.theme:
            self.theme = THEMES[look.theme]
            self.post_message(Arranged(theme=None))
        self.set_keymap(dict(keys.changed))
        self.look_signal.publish(look)
        if look.ascii != before.ascii:
            # what was drawn through the filters is kept by each widget
            for stack in self._screen_stacks.values():
                for screen in stack:
                    for widget in screen.walk_children(Widget, with_self=True):
                        widget.refresh()

    def _choose_theme(self, name: str) -> None:
        self.theme = THEMES[name]
        self.post_message(Arranged(theme=ChosenTheme(name, self.look.theme)))

    def action_jump(self) -> None:
        """Give every pane of the screen a letter, and go to the one whose letter is pressed."""
        from utxoracle_tui.ui.screens.jump import Jump, panes_of  # noqa: PLC0415  (seldom needed)

        panes = panes_of(self.screen)
        if not panes or isinstance(self.screen, ModalScreen):
            return

        def chosen(pane: Widget | None) -> None:
            if pane is not None:
                pane.focus()

        self.push_screen(Jump(panes), chosen)

    def action_toggle_help(self) -> None:
        """Show or hide the list of keys."""
        if self.screen.query(KeysHelp):
            self.action_close_help()
        else:
            self.screen.mount(KeysHelp())

    def action_close_help(self) -> None:
        """Hide the list of keys."""
        self.screen.query(KeysHelp).remove()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there is no list of keys, the key that closes it is whatever it is there."""
        return action != "close_help" or bool(self._screen_stack and self.screen.query(KeysHelp))
