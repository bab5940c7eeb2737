"""The settings themselves: typed, documented, frozen, and cheap for who doesn't need them."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place
from utxoracle_tui.config import settings as module
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.config.schema import schema, section_classes
from utxoracle_tui.config.settings import Settings


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make_place(tmp_path, monkeypatch)


def test_every_setting_is_documented() -> None:
    tree = ast.parse(inspect.getsource(module))
    sections = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name != "Settings"]
    documented = 0
    for section in sections:
        for field, after in zip(section.body, [*section.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign):
                assert isinstance(after, ast.Expr), ast.unparse(field)
                assert isinstance(after.value, ast.Constant), ast.unparse(field)
                documented += 1
    assert documented == len(schema())


def test_names_of_variables_are_unambiguous() -> None:
    names = [name for setting in schema().values() for name in (setting.variable, *setting.rules.env)]
    assert len(names) == len(set(names))
    assert not any("_" in section for section in section_classes())
    assert schema()["node.max_in_flight"].variable == "UTXORACLE_TUI_NODE_MAX_IN_FLIGHT"


def test_defaults_meet_their_own_rules() -> None:
    for setting in schema().values():
        rules, default = setting.rules, setting.default
        if rules.choices:
            assert default in rules.choices
        if isinstance(default, int | float) and not isinstance(default, bool):
            assert rules.low is not None
            assert rules.low <= default <= (rules.high or float("inf"))


def test_settings_are_frozen_and_can_be_hashed_compared_and_sent_to_workers(place: Place) -> None:
    place.environ |= {"BITCOIN_RPC_USER": "alice", "BITCOIN_RPC_PASSWORD": "hunter22"}
    settings = place.load().settings
    assert hash(settings) == hash(place.load().settings)
    assert settings != Settings()
    twin = pickle.loads(pickle.dumps(settings))
    assert twin == settings
    assert twin.node.password == Secret("hunter22")
    assert "hunter22" not in repr(settings)
    assert "hunter22" not in repr(dataclasses.asdict(settings))
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.node = settings.node  # type: ignore[misc]


def test_importing_the_settings_reads_nothing_and_loads_no_screen(tmp_path: Path) -> None:
    script = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import utxoracle_tui.config.load
read = [path for path in opened if not path.endswith((".py", ".pyc", ".so", ".zip"))]
slow = [name for name in ("tomllib", "dotenv", "platformdirs", "textual", "numpy") if name in sys.modules]
print(read, slow)
"""
    root = Path(__file__).parents[2]
    environ = {"HOME": str(tmp_path), "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environ, cwd=tmp_path
    )
    assert done.stdout == "[] []\n"
