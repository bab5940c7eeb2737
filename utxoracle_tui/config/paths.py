"""Where the program keeps its files: the platform's folders, or all under one that the operator names."""

from __future__ import annotations

from pathlib import Path

APP_NAME = "utxoracle-tui"


def cache_dir(data_dir: Path | None) -> Path:
    """The folder for what can be made again: under `data_dir`, or the platform's (`XDG_CACHE_HOME`)."""
    if data_dir is not None:
        return data_dir / "cache"
    import platformdirs  # noqa: PLC0415  (commands that keep no files don't pay for it)

    return platformdirs.user_cache_path(APP_NAME)


def data_dir(chosen: Path | None) -> Path:
    """The folder for what must not be lost, by network: the one chosen, or the platform's (`XDG_DATA_HOME`)."""
    if chosen is not None:
        return chosen
    import platformdirs  # noqa: PLC0415  (commands that keep no files don't pay for it)

    return platformdirs.user_data_path(APP_NAME)


def config_file() -> Path:
    """The configuration file where the platform keeps such files (`XDG_CONFIG_HOME`); it need not be there."""
    import platformdirs  # noqa: PLC0415  (commands that keep no files don't pay for it)

    return platformdirs.user_config_path(APP_NAME) / "config.toml"


def state_dir(data_dir: Path | None) -> Path:
    """The folder for logs and the like: under `data_dir`, or the platform's (`XDG_STATE_HOME`)."""
    if data_dir is not None:
        return data_dir / "state"
    import platformdirs  # noqa: PLC0415  (commands that keep no files don't pay for it)

    return platformdirs.user_state_path(APP_NAME)
