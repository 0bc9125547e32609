"""Mistakes of whoever types: one line with a code, no traceback, no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Program, Smartwatch


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("watches", "register"),
        ("watches", "register", "w.csv"),
        ("watches", "register", "w.csv", "--dry-run", "--import", "v.csv"),
        ("watches", "labels", "--out", "x.pdf"),
        ("watches", "list", "--state", "eaten"),
        ("families", "enrol"),
        ("families", "enrol", "f.csv", "--code", "A1"),
        ("families", "enrol", "--code", "A1", "--phone", "1"),
        ("cohorts", "create", "x", "--site", "s", "--starts-on", "soon"),
    ],
)
def test_wrong_usage_ends_with_2(smartwatch: Smartwatch, words: tuple[str, ...]) -> None:
    assert smartwatch(*words).code == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("watches", "register", "missing.csv", "--dry-run"), "file_unreadable"),
        (("watches", "register", ".", "--dry-run"), "file_unreadable"),
        (("watches", "hand-out", "SW0001", "A1"), "watch_unknown"),
        (("watches", "labels", "SW0001", "--out", "l.pdf"), "watch_unknown"),
        (("watches", "list", "--site", "Nowhere"), "site_unknown"),
        (("programme", "create", " "), "text_not_allowed"),
        (("programme", "create", "a\udcff"), "text_not_allowed"),
        (("cohorts", "create", "x", "--site", "s\udcff"), "site_unknown"),
        (
            (
                "staff",
                "create",
                "a@b.org",
                "--name",
                "x",
                "--role",
                "admin",
                "--programme",
                "none",
                "--not-employed-by-factory",
                "--phone",
                "13800138004",
            ),
            "programme_unknown",
        ),
        (("settings", "--write", "missing/settings.md"), "file_unwritable"),
    ],
)
def test_a_refusal_is_one_line_with_its_code(smartwatch: Smartwatch, words: tuple[str, ...], code: str) -> None:
    result = smartwatch(*words)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"smartwatch: {code}: ")
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://nobody:planted-secret@127.0.0.1:1/x", "database_unreachable"),
        ("postgresql://nobody:planted-secret@no-such-host.invalid:5432/x", "database_unreachable"),
        ("mysql://nobody:planted-secret@127.0.0.1/x", "settings_wrong"),
        ("planted-secret", "settings_wrong"),
    ],
)
@pytest.mark.parametrize("words", [("sites", "list"), ("db", "upgrade")])
def test_a_database_that_is_not_there_is_told_without_its_password(
    smartwatch: Smartwatch, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], url: str, code: str
) -> None:
    monkeypatch.setenv("SMARTWATCH_DATABASE_URL", url)
    result = smartwatch(*words)
    assert (result.code, result.err.partition(": ")[2].partition(":")[0]) == (1, code)
    assert "planted-secret" not in result.err + result.out


def test_a_wrong_password_and_a_missing_schema_are_told_apart(
    smartwatch: Smartwatch, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    head, tail = database_url.split("@")
    monkeypatch.setenv("SMARTWATCH_DATABASE_URL", f"postgresql://smartwatch:wrong@{tail}")
    assert smartwatch("sites", "list").err.startswith("smartwatch: database_refused: ")
    # The product's own empty database, which no test migrates.
    monkeypatch.setenv("SMARTWATCH_DATABASE_URL", f"{head}@{tail.partition('/')[0]}/smartwatch")
    assert smartwatch("sites", "list").err.startswith("smartwatch: schema_old: ")


def test_settings_that_do_not_fit_are_listed_without_their_values(
    smartwatch: Smartwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTWATCH_API_PORT", "planted-secret")
    monkeypatch.setenv("SMARTWATCH_MASTER_KEY", "planted-secret")
    result = smartwatch("sites", "list")
    assert result.code == 1
    assert result.err.splitlines() == [
        "smartwatch: settings_wrong: The settings are invalid.",
        "  SMARTWATCH_API_PORT: Input should be a valid integer, unable to parse string as an integer",
        "  SMARTWATCH_MASTER_KEY: master_key is not base64",
    ]


@pytest.mark.parametrize("process", ["api", "bridge", "broker", "worker"])
def test_no_process_starts_in_production_with_what_every_checkout_shares(
    smartwatch: Smartwatch, monkeypatch: pytest.MonkeyPatch, process: str
) -> None:
    monkeypatch.setenv("SMARTWATCH_ENVIRONMENT", "production")
    result = smartwatch(process)
    assert result.code == 1
    assert "  master_key still has its development value" in result.err.splitlines()
    assert "  token_keys still has its development value" in result.err.splitlines()


def test_a_port_in_use_is_told_as_such(program: Program, taken_port: int) -> None:
    ended = program("worker", SMARTWATCH_WORKER_HEALTH_PORT=str(taken_port)).communicate(timeout=90)
    assert ended[1].splitlines()[-1].startswith("smartwatch: port_taken: ")
    assert "Traceback" not in ended[1]


def test_the_page_of_settings_is_what_the_code_says(smartwatch: Smartwatch, tmp_path: Path) -> None:
    assert smartwatch("settings", "--write", "settings.md").code == 0
    page = Path(__file__).parents[3] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == (tmp_path / "settings.md").read_text(encoding="utf-8"), (
        "write it anew: smartwatch settings --write docs/settings.md"
    )


def test_every_setting_says_what_it_means(smartwatch: Smartwatch) -> None:
    rows = [line.split("\t") for line in smartwatch("settings").out.splitlines()[1:]]
    assert len(rows) > 20
    assert all(variable.startswith("SMARTWATCH_") and meaning for variable, _, meaning in rows)
    assert not any("development-only" in default for _, default, _ in rows)
