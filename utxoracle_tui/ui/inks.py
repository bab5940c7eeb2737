"""What the charts are drawn with, by the theme: colours that are known, or those of the terminal, which are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import get_args

from plotext._utility import colors_to_ansi
from rich.style import Style
from rich.text import Text
from textual.color import Color

from utxoracle_tui.ui.pictures import Colour

PlotextColour = tuple[int, int, int] | int | str
_TOWARDS_BACKGROUND = 0.6
_OF_THE_TERMINAL = -1
"""The number that Textual has for the colour that a terminal writes in by itself."""
_BLUE = 4
"""Of the sixteen colours of a terminal the one that hardly any of them shows readably on black."""


@dataclass(frozen=True, slots=True)
class Ink:
    """What is drawn with, as plotext has it; its `default` is what the terminal has."""

    colour: PlotextColour = "default"
    style: str = "default"

    @property
    def rich_style(self) -> Style:
        """The same for a text."""
        return style_of(colors_to_ansi(self.colour, self.style, "default")) or Style.null()


@dataclass(frozen=True, slots=True)
class Inks:
    """All that a chart is drawn with."""

    canvas: PlotextColour
    of: Mapping[Colour, Ink]


def inks_of(variables: Mapping[str, str]) -> Inks:
    """The inks of a theme, from its variables."""
    colours = {name: Color.parse(variables[name]) for name in get_args(Colour) if name in variables}
    background, canvas = Color.parse(variables["background"]), Color.parse(variables["surface"])
    inks: dict[Colour, Ink] = {name: _ink(colour) for name, colour in colours.items()}
    blends: tuple[tuple[Colour, Colour], ...] = (("quiet", "foreground"), ("band", "success"))
    for name, of in blends:
        inks[name] = _faint(colours[of], background)
    return Inks(_ink(canvas).colour if canvas.a else "default", inks)


@lru_cache(maxsize=1024)
def style_of(codes: str) -> Style | None:
    """The style that a run of escape sequences comes to."""
    spans = Text.from_ansi(f"{codes}x").spans
    style = spans[0].style if spans else None
    return style if isinstance(style, Style) else None


def _ink(colour: Color) -> Ink:
    """A colour of a theme; those of the terminal by their number, for nobody knows what they look like."""
    if colour.ansi is None:
        return Ink(colour.rgb)
    return Ink() if colour.ansi in {_OF_THE_TERMINAL, _BLUE} else Ink(colour.ansi)


def _faint(colour: Color, background: Color) -> Ink:
    """The same near the background, which can be mixed only where both are known."""
    if colour.ansi is None and background.ansi is None:
        return _ink(colour.blend(background, _TOWARDS_BACKGROUND))
    return replace(_ink(colour), style="dim")
