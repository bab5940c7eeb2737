"""All settings. To add one is to add a field: its name, type and default, and its rules.

The key of a field is `section.name`; its variable `UTXORACLE_TUI_<SECTION>_<NAME>`.
"""

# ruff: noqa: RUF009  (`setting` is `dataclasses.field`, which the rule allows, under another name)
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from utxoracle_tui.config.fields import setting
from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.config.redaction import Secret

AUTO = "auto"
"""The network is whatever the node says."""


@dataclass(frozen=True, slots=True)
class Node:
    """Bitcoin Core. With `password` the client authenticates by it, else by `cookie_file`."""

    url: str = setting("http://127.0.0.1:8332", env="BITCOIN_RPC_URL", takes_credentials=True)
    """Where RPC and REST answer."""
    user: str | None = setting(None, env="BITCOIN_RPC_USER")
    """The name that goes with `password`."""
    password: Secret | None = setting(None, env="BITCOIN_RPC_PASSWORD")
    """As in `rpcpassword`, or the one that an `rpcauth` line was made for."""
    cookie_file: Path | None = setting(None)
    """The file that the node writes its password of the day to."""
    datadir: Path | None = setting(None, env="BITCOIN_DATADIR")
    """The node's data directory, without the network's subfolder; its bitcoin.conf is read."""
    read_block_files: bool = setting(True)
    """Take blocks from the node's own files where they lie on this machine and may be read, not over its port."""
    blocks_dir: Path | None = setting(None)
    """The folder with the node's blk*.dat; by default blocks in the network's folder, or where bitcoin.conf puts it."""
    network: str = setting(AUTO, flag="--network", choices=(AUTO, *NETWORKS))
    """The network that the node must be on."""
    max_in_flight: int = setting(4, low=1, high=64)
    """Requests that the node is given at once, at most; it falls by itself when the node slows down."""
    reuse_connections: bool = setting(False)
    """Fetch several blocks over one connection."""
    connect_timeout_s: float = setting(5.0, low=0.1, high=120, unit="seconds")
    """How long the node may take to accept a connection."""
    read_timeout_s: float = setting(30.0, low=1, high=3600, unit="seconds")
    """How long the node may be silent in the middle of an answer."""


@dataclass(frozen=True, slots=True)
class Mempool:
    """The mempool backend, for the exchange price."""

    api_url: str = setting("http://127.0.0.1:8999", env="MEMPOOL_API_URL", url=True)
    """The operator's own backend."""
    fallback_enabled: bool = setting(False, env="MEMPOOL_FALLBACK_ENABLED")
    """Ask the public instance when the own backend has no price: it learns the operator's address."""
    fallback_url: str = setting("https://mempool.space", env="MEMPOOL_FALLBACK_URL", url=True)
    """The public instance."""


@dataclass(frozen=True, slots=True)
class Electrs:
    """The index server."""

    http_url: str = setting("http://127.0.0.1:3000", env="ELECTRS_HTTP_URL", url=True)
    """Where its REST interface answers."""
    metrics_url: str | None = setting("http://127.0.0.1:4224", url=True)
    """Where its Prometheus metrics are, from the first second on; REST comes only after the first sync."""
    index_dir: Path | None = setting(None)
    """Its `--db-dir`: RocksDB's own log in there tells how far a compaction is."""
    log_file: Path | None = setting(None)
    """Its log, where that goes to a file; without one, the log of its container or unit is read."""
    container: str = setting("mempool-electrs")
    """The name of its container; empty where it runs without one."""
    unit: str | None = setting(None)
    """Its systemd unit, where it is one."""


@dataclass(frozen=True, slots=True)
class Containers:
    """Docker, which is only ever asked, never told to do anything."""

    socket: Path | None = setting(Path("/var/run/docker.sock"))
    """The socket of the Docker Engine."""
    backend: str = setting("mempool-api")
    """The container of the mempool backend."""
    database: str = setting("mempool-db")
    """The container of the backend's database."""
    web: str = setting("mempool-web")
    """The container of the web front end."""


@dataclass(frozen=True, slots=True)
class Price:
    """When a price counts as valid."""

    confidence_threshold: float = setting(0.3, env="UTXORACLE_CONFIDENCE_THRESHOLD", low=0, high=1)
    """The confidence that it must have at least, 0 to 1."""
    min_price_usd: float = setting(10_000.0, env="MIN_PRICE_USD", low=0, unit="dollars")
    """The lowest price that is believed."""
    max_price_usd: float = setting(500_000.0, env="MAX_PRICE_USD", low=0, unit="dollars")
    """The highest price that is believed."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """The regular comparison of the two prices."""

    interval_minutes: int = setting(10, env="ANALYSIS_INTERVAL_MINUTES", low=1, high=1440, unit="minutes")
    """The time from one round to the next."""
    retries: int = setting(3, low=0, high=20)
    """How often `analyze` tries again when the node or the store can't be used: after 5, 15 and 45 seconds, and then
    every 45.
    """


@dataclass(frozen=True, slots=True)
class Jobs:
    """Backfills and reruns: what they may ask of the node. A node that is busy or slow is asked less than that."""

    max_in_flight: int = setting(3, low=1, high=64)
    """Blocks that the node is asked for at once, at most; one fewer than the node is given altogether."""
    mb_per_s: float = setting(0.0, low=0, high=100_000, unit="megabytes")
    """Megabytes a second that are taken from the node, on average; 0: as many as it has."""
    quiet_hours: str = setting("", hours=True)
    """Hours in which jobs rest, such as 08:00-23:00, in the local time of this machine."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """Where alerts go."""

    webhook_url: Secret | None = setting(None, env="ALERT_WEBHOOK_URL", url=True)
    """An address that alerts are posted to; its path is usually a key, so all of it is a secret."""
    secret: Secret | None = setting(None)
    """The key that posted alerts are signed with."""
    webhook_shape: str = setting("json", choices=("json", "slack", "discord", "ntfy"))
    """What the address takes: JSON with all there is to know, or what Slack, Discord or ntfy want."""
    command: str = setting("")
    """A command that is run for each alert, without a shell; it gets the alert as JSON on its standard input."""
    terminal: str = setting("notify", choices=("off", "bell", "notify"))
    """What an open console does in its terminal: nothing, ring the bell, or have it show a notification (OSC 9)."""
    divergence_pct: float = setting(5.0, low=0.1, high=100, unit="percent")
    """From how far apart the two prices are an alert, on any basis."""
    no_round_minutes: int = setting(30, low=2, high=10_080, unit="minutes")
    """How long there may be no round."""
    reorg_blocks: int = setting(2, low=1, high=100)
    """From how many blocks on a reorganisation is an alert."""
    cooldown_minutes: int = setting(30, low=0, high=10_080, unit="minutes")
    """How long after its end the same alert is not raised again."""


@dataclass(frozen=True, slots=True)
class Log:
    """The program's own log."""

    level: str = setting("INFO", env="LOG_LEVEL", choices=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
    """The least grave entries that are kept."""
    json: bool = setting(False)
    """Write an entry as a line of JSON, not of text."""


@dataclass(frozen=True, slots=True)
class Screen:
    """How the console looks, and how it is worked."""

    theme: str = setting("black-and-orange", choices=("black-and-orange", "light", "ansi"))
    """The colours: those of the program on black or on white, or the sixteen of the terminal."""
    ascii: bool = setting(False)
    """Draw with ASCII alone, for terminals and fonts that have nothing else."""
    mouse: bool = setting(True)
    """Take clicks and the wheel; without, the terminal selects text as it does elsewhere."""
    keys: str = setting("default", choices=("default", "vim", "tmux-safe"))
    """The set of keys: vim adds h, l, 0, $ and half pages; tmux-safe leaves out what tmux keeps, and backspace is
    escape."""
    remap: str = setting("")
    """Keys of one's own, over those of the set: jobs.pause=P app.quit=ctrl+x,q."""
    read_only: bool = setting(False)
    """Only look: jobs can't be asked for, nor changed. Rounds go on and are stored."""


@dataclass(frozen=True, slots=True)
class Api:
    """The read-only REST API."""

    host: str = setting("127.0.0.1", env="FASTAPI_HOST", flag="--host")
    """The address that it listens on."""
    port: int = setting(8000, env="FASTAPI_PORT", flag="--port", low=1, high=65535)
    """The port that it listens on."""


@dataclass(frozen=True, slots=True)
class Store:
    """What is kept on disk."""

    data_dir: Path | None = setting(None, flag="--data-dir")
    """One folder for all files, caches included; without it they lie where the platform keeps such files."""
    readings_days: int = setting(30, low=1, high=36_500, unit="days")
    """Exchange readings older than this are thinned to one in ten minutes."""
    points_days: int = setting(400, low=0, high=36_500, unit="days")
    """The price points of so many days are kept; those of older ones are worked out again when asked for."""
    points_block_windows: int = setting(10, low=0, high=100_000)
    """The price points of so many block windows are kept."""
    digests_mb: int = setting(2_000, low=0, high=10_000_000, unit="megabytes")
    """The room that digested blocks may take; a block takes about 0.16 MB."""
    backups: int = setting(30, low=1, high=10_000)
    """Backups beyond this many, the oldest, are removed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections. Each instance is complete, can be hashed, and can be sent to worker processes."""

    node: Node = Node()
    mempool: Mempool = Mempool()
    electrs: Electrs = Electrs()
    containers: Containers = Containers()
    price: Price = Price()
    rounds: Rounds = Rounds()
    jobs: Jobs = Jobs()
    alerts: Alerts = Alerts()
    log: Log = Log()
    screen: Screen = Screen()
    api: Api = Api()
    store: Store = Store()
