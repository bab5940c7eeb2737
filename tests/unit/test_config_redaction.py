"""A secret is in no text that is shown, logged or thrown."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.support.config_place import forget_secrets
from utxoracle_tui.config.redaction import HIDDEN, SET, RedactingFilter, Secret, redact


@pytest.fixture(autouse=True)
def _forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_secrets(monkeypatch)


def test_a_secret_shows_that_it_is_set_and_nothing_else() -> None:
    secret = Secret("correct-horse")
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>9}",
        "see " + str([secret]),
        repr([secret]),
        repr((secret,)),
    ]
    assert all("horse" not in text for text in shown)
    assert str(secret) == repr(secret) == SET
    assert secret.reveal() == "correct-horse"


def test_a_secret_in_a_dataclass_stays_one() -> None:
    @dataclasses.dataclass(frozen=True)
    class Holder:
        password: Secret

    holder = Holder(Secret("correct-horse"))
    assert "horse" not in repr(holder)
    assert "horse" not in repr(dataclasses.asdict(holder))


def test_a_secret_cannot_be_changed_or_written_as_json() -> None:
    secret = Secret("correct-horse")
    with pytest.raises(AttributeError):
        secret._text = "other"
    with pytest.raises(AttributeError):
        del secret._text
    assert secret.reveal() == "correct-horse"
    with pytest.raises(TypeError) as caught:
        json.dumps({"password": secret})
    assert "horse" not in str(caught.value)


def test_secrets_compare_hash_copy_and_pickle() -> None:
    secret = Secret("correct-horse")
    assert secret == Secret("correct-horse")
    assert secret != Secret("battery")
    assert secret != "correct-horse"
    assert hash(secret) == hash(Secret("correct-horse"))
    for twin in (copy.copy(secret), copy.deepcopy(secret), pickle.loads(pickle.dumps(secret))):
        assert twin == secret
        assert str(twin) == SET


def test_an_unpickled_secret_is_redacted_in_its_new_process() -> None:
    # as another process would have pickled it: this one has never seen it
    pickled = pickle.dumps(Secret("placeholder-00")).replace(b"placeholder-00", b"from-elsewhere")
    assert "from-elsewhere" in redact("from-elsewhere")
    pickle.loads(pickled)
    assert redact("it was from-elsewhere!") == f"it was {HIDDEN}!"


def test_known_secrets_are_taken_out_in_every_spelling() -> None:
    text = "p@ss/wörd'\"\\ 1"
    Secret(text)
    for spelling in (text, quote(text), quote(text, safe=""), repr(text), json.dumps(text)):
        redacted = redact(f"before {spelling} after")
        assert "rd" not in redacted
        assert redacted.startswith("before ")
        assert redacted.endswith(" after")


def test_of_two_secrets_the_longer_goes_first() -> None:
    Secret("abcd-efgh")
    Secret("abcd")
    assert redact("abcd-efgh abcd") == f"{HIDDEN} {HIDDEN}"


def test_a_webhook_that_is_a_setting_is_known_by_its_path_alone() -> None:
    Secret("https://chat.example.org/incoming/T000/B000/XyZ")
    assert redact("POST /incoming/T000/B000/XyZ failed") == f"POST /{HIDDEN} failed"
    assert redact("POST https://chat.example.org/incoming/T000/B000/XyZ") == f"POST {HIDDEN}"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("at http://alice:pw-1234@host:8332/x", f"at http://{HIDDEN}@host:8332/x"),
        ("at http://alice:p/w@1@host:8332", f"at http://{HIDDEN}@host:8332"),
        ('{"url": "http://alice:pw-1234@host"}', f'{{"url": "http://{HIDDEN}@host"}}'),
        ("alice:pw-1234@host:8332 refused", f"{HIDDEN}@host:8332 refused"),
        (f"__cookie__:{'ab12' * 16}", f"__cookie__:{HIDDEN}"),
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {HIDDEN}"),
        ("authorization: bearer abcdef", f"authorization: bearer {HIDDEN}"),
        ("Authorization: Basic YWxpY2U6aHVudGVy", f"Authorization: Basic {HIDDEN}"),
        ("{'authorization': 'Basic X19jb29raWVfXw=='}", f"{{'authorization': 'Basic {HIDDEN}'}}"),
        ("https://hooks.slack.com/services/T0/B0/XyZ", f"https://hooks.slack.com/{HIDDEN}"),
        ("https://discord.com/api/webhooks/1/XyZ ok", f"https://discord.com/api/webhooks/{HIDDEN} ok"),
        ("https://api.telegram.org/bot123:XyZ-_/sendMessage", f"https://api.telegram.org/bot{HIDDEN}/sendMessage"),
        ("rpcpassword=pw-1234", f"rpcpassword={HIDDEN}"),
        ("rpcauth = alice:5ac1$c0ffee", f"rpcauth = {HIDDEN}"),
    ],
)
def test_what_has_the_shape_of_a_secret_is_taken_out(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8332/rest/block/00ab.bin",
        "Basic authentication failed",
        'WWW-Authenticate: Basic realm="jsonrpc"',
        "block 00000000000000000001 at 12:30:01, 3 @ 5",
        "/home/alice/.bitcoin/.cookie",
        "node.password (environment BITCOIN_RPC_PASSWORD) is (set)",
        "",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redact(text) == text


def test_short_secrets_do_not_tear_texts_apart() -> None:
    Secret("a")
    Secret("")
    assert redact("a cat") == "a cat"
    Secret("1234")
    assert redact("$61234, 0x1234ab; '1234' 1234, key_1234") == f"$61234, 0x1234ab; '{HIDDEN}' {HIDDEN}, key_{HIDDEN}"


@pytest.fixture
def logger() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("test-of-redaction")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, written
    logger.removeHandler(handler)


def test_log_lines_are_redacted(logger: tuple[logging.Logger, io.StringIO]) -> None:
    log, written = logger
    Secret("correct-horse")
    log.warning("plain correct-horse")
    log.warning("password %s of %d", "correct-horse", 1)
    log.warning("url %(url)s", {"url": "http://alice:pw-1234@host"})
    log.getChild("child").warning("child %r", ["correct-horse"])
    assert written.getvalue().splitlines() == [
        f"WARNING plain {HIDDEN}",
        f"WARNING password {HIDDEN} of 1",
        f"WARNING url http://{HIDDEN}@host",
        f"WARNING child ['{HIDDEN}']",
    ]


def test_logged_exceptions_are_redacted(logger: tuple[logging.Logger, io.StringIO]) -> None:
    log, written = logger
    password = Secret("correct-horse").reveal()
    try:
        try:
            raise ValueError(f"no {password}")
        except ValueError as error:
            raise OSError("http://alice:pw-1234@host") from error
    except OSError:
        log.exception("failed", stack_info=True)
    text = written.getvalue()
    assert "ValueError: no (hidden)" in text
    assert "OSError: http://(hidden)@host" in text
    assert "correct-horse" not in text
    assert "pw-1234" not in text


def test_a_record_keeps_no_secret_for_other_handlers() -> None:
    password = Secret("correct-horse").reveal()
    try:
        raise ValueError(password)
    except ValueError as error:
        exc_info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "see %s", (password,), exc_info)
    assert RedactingFilter().filter(record) is True
    assert "correct-horse" not in repr(vars(record))
    assert record.getMessage() == f"see {HIDDEN}"


def test_a_log_line_that_does_not_fit_its_arguments_does_not_end_the_program(
    logger: tuple[logging.Logger, io.StringIO],
) -> None:
    log, written = logger
    Secret("correct-horse")
    message = "two %s %s"
    log.warning(message, "correct-horse")
    assert written.getvalue() == "WARNING two %s %s (its arguments don't fit)\n"


def test_a_traceback_with_locals_shows_no_secret() -> None:
    password = Secret("correct-" + "horse")
    try:
        raise ValueError("boom")
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert f"password = {SET}" in shown
    assert password.reveal() not in shown
