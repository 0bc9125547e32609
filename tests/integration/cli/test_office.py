"""An office's way from an empty system to a watch in a family's hands, typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.core.platform.spreadsheets.sheets import SheetRefusedError
from tests.integration.cli.conftest import Smartwatch, open_hand_out

WATCHES = "serial,imei,model,site\nSW0001,860000000000009,sim-1,Dongguan\nSW0002,,sim-1,Dongguan\n"
FAMILIES = "family_code,phone,site,cohort,watch_serial\nDG1-001,13800138000,Dongguan,2026A,SW0001\n"


def test_a_site_states_who_is_responsible(office: Smartwatch, tmp_path: Path) -> None:
    shown = office("sites", "notice", "Dongguan")
    assert (shown.code, shown.out.splitlines()[-1].startswith("missing: controller_name, ")) == (0, True)
    stated = {"controller_name": "WeCare Dongguan", "processors": [{"name": "A", "country": "cn", "purpose": "texts"}]}
    (tmp_path / "notice.json").write_text(json.dumps(stated))
    output = office("sites", "notice", "Dongguan", "--file", "notice.json").out
    kept = json.loads(output[: output.rindex("}") + 1])
    assert (kept["version"], kept["controller_name"], kept["processors"][0]["country"]) == (1, "WeCare Dongguan", "CN")
    assert "controller_name" not in output.splitlines()[-1]
    for wrong in ('{"controler_name": "x"}', "[]", "nonsense", '{"filing_number": 7}'):
        (tmp_path / "notice.json").write_text(wrong)
        refused = office("sites", "notice", "Dongguan", "--file", "notice.json")
        assert (refused.code != 0, "notice_malformed" in refused.err) == (True, True), wrong


def test_from_an_empty_system_to_a_watch_in_a_familys_hands(
    office: Smartwatch, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "watches.csv").write_text(WATCHES)
    (tmp_path / "families.csv").write_text(FAMILIES)

    result = office("watches", "register", "watches.csv", "--dry-run")
    assert (result.code, result.out.splitlines()[-1]) == (0, "2 registered, 0 updated, 0 unchanged.")
    result = office("watches", "register", "watches.csv", "--export-for-vendor", "vendor.csv")
    assert (result.code, result.out.splitlines()[0]) == (0, "2 registered, 0 updated, 0 unchanged.")
    result = office("watches", "register", "watches.csv", "--import", "vendor.csv")
    assert (result.code, result.out.strip()) == (0, "0 registered, 0 updated, 2 unchanged.")

    assert office("watches", "labels", "--site", "Dongguan", "--out", "labels.pdf").code == 0
    assert (tmp_path / "labels.pdf").read_bytes().startswith(b"%PDF-")

    result = office("families", "enrol", "families.csv")
    assert (result.code, result.out.strip()) == (0, "1 enrolled, 0 unchanged, 1 watches handed out.")
    result = office(
        "families", "enrol", "--code", "DG1-002", "--phone", "13800138001", "--site", "Dongguan", "--cohort", "2026A"
    )
    assert (result.code, result.out.strip()) == (0, "1 enrolled, 0 unchanged, 0 watches handed out.")
    handed_out = office("watches", "hand-out", "SW0002", "DG1-002").out
    # Whether the family can be notified is told while a hand-out of the site is open, and at no other time.
    assert handed_out.splitlines() == ["SW0002: handed out to DG1-002."]
    open_hand_out(office, database_url)
    handed_out = office("watches", "hand-out", "SW0002", "DG1-002").out
    assert handed_out.splitlines() == ["SW0002: the family has it already.", "DG1-002: no working channel."]
    traced = office("watches", "trace", "sw0002", "--follow", "0.1")
    assert (traced.code, traced.out.splitlines()[-1].partition(";")[0]) == (0, "sw0002: 0 lines")
    result = office("watches", "lost", "SW0002")
    assert (result.code, result.out) == (0, "SW0002: lost.\n")
    # Watches of other tests of this database are listed as well.
    listed = [line for line in office("watches", "list").out.splitlines() if line.startswith("SW0")]
    assert listed == [
        "SW0001\tsim-1\tDongguan\thanded_out\tDG1-001\t\t",
        "SW0002\tsim-1\tDongguan\tlost\tDG1-002\t\t",
    ]
    assert office("watches", "list", "--state", "lost").out.splitlines()[1:] == listed[1:]
    assert office("watches", "return", "SW0002").out == "SW0002: returned.\n"


def test_no_command_shows_a_secret_or_a_phone(office: Smartwatch, tmp_path: Path) -> None:
    (tmp_path / "watches.csv").write_text(WATCHES.replace("SW0", "SX0").replace("860000000000009", ""))
    results = [office("watches", "register", "watches.csv", "--export-for-vendor", "vendor.csv")]
    secrets = [line.split(",")[1] for line in (tmp_path / "vendor.csv").read_text().split()[1:]]
    results += [office("watches", "list"), office("watches", "register", "watches.csv", "--import", "vendor.csv")]
    results += [
        office("families", "enrol", "--code", "X-1", "--phone", phone, "--site", "Dongguan", "--cohort", "2026A")
        for phone in ("13800138077", "13800138078", "138001380")
    ]
    assert [result.code for result in results] == [0, 0, 0, 0, 1, 1]
    for result in results:
        assert not any(word in result.out + result.err for word in (*secrets, "138001380"))


NOT_HR = "--not-employed-by-factory"


def test_a_first_password_goes_to_the_phone_and_is_shown_to_nobody(office: Smartwatch) -> None:
    words: tuple[str, ...] = ("staff", "create", "ann@example.org", "--name", "Ann", "--role", "staff", NOT_HR)
    assert office(*words, "--site", "Dongguan").err.startswith("smartwatch: staff_phone_needed: ")
    words += ("--phone", "13800138000")
    first = office(*words, "--site", "Dongguan")
    sent = "The first password is on its way to the phone; it works once within 24 hours.\n"
    assert (first.code, first.out) == (0, f"ann@example.org: created. {sent}")
    assert office(*words, "--site", "Dongguan").out == "ann@example.org: exists already; nothing was changed.\n"
    result = office(*words, "--programme", "Pilot")
    assert result.out == "ann@example.org: now serves Pilot as well. The password is unchanged.\n"
    assert office(*words).err.startswith("smartwatch: scope_needed: ")
    assert office("staff", "reset", "ann@example.org").out == f"ann@example.org: reset. {sent}"


def test_a_site_whose_name_two_programmes_share_is_named_with_its_programme(office: Smartwatch) -> None:
    place = ("--country", "CN", "--timezone", "Asia/Shanghai", "--locale", "zh-Hans")
    for programme in ("North", "South"):
        office("programme", "create", programme)
        assert office("sites", "create", "Shared", "--programme", programme, *place).code == 0
    words: tuple[str, ...] = (
        "staff",
        "create",
        "cai@example.org",
        "--name",
        "Cai",
        "--role",
        "coordinator",
        NOT_HR,
        "--site",
        "Shared",
    )
    words += ("--phone", "13800138002")
    assert office(*words).err.startswith("smartwatch: site_ambiguous: ")
    assert office(*words, "--programme", "North").code == 0
    # The scope is the site, not the programme: a coordinator has one site and no more.
    assert office(*words, "--programme", "South").err.startswith("smartwatch: scope_of_role: ")


def test_whoever_the_factory_employs_gets_the_role_factory_alone(office: Smartwatch) -> None:
    words: tuple[str, ...] = ("staff", "create", "hr@example.org", "--name", "HR", "--employed-by-factory")
    words += ("--site", "Dongguan", "--phone", "13800138003")
    assert office(*words, "--role", "coordinator").err.startswith("smartwatch: role_of_factory: ")
    assert office(*words, "--role", "factory").code == 0


def test_sites_are_listed_with_their_cohorts(office: Smartwatch) -> None:
    assert "Pilot\tDongguan\tCN\tAsia/Shanghai\tzh-Hans\t2026A" in office("sites", "list").out.splitlines()[1:]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "  the file: file_empty: The file is empty."),
        (b"serial\xff", "  row 1: not_utf8: The file is not UTF-8. Save it as `CSV UTF-8`."),
        (
            b"serial,model,site\nx,m,Dongguan\n",
            "  row 2, serial: serial_malformed: A serial has 4 to 20 characters of A-Z and 0-9.",
        ),
    ],
)
def test_a_list_with_faults_is_told_line_by_line(office: Smartwatch, tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    result = office("watches", "register", "bad.csv", "--dry-run")
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        f"smartwatch: sheet_refused: bad.csv: {SheetRefusedError.sentence}",
        line,
    ]


def test_a_list_with_thousands_of_faults_does_not_flood_the_terminal(office: Smartwatch, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("serial,model,site\n" + "x,m,s\n" * 5000)
    result = office("watches", "register", "bad.csv", "--dry-run")
    assert [line.partition(":")[0] for line in result.err.splitlines()[1:]] == [
        "  rows 2-5001, serial", "  rows 2-5001, site",
    ]  # fmt: skip


def test_a_staff_member_is_reset_and_ended(office: Smartwatch) -> None:
    words = ("staff", "create", "bo@example.org", "--name", "Bo", "--role", "coordinator", "--site", "Dongguan", NOT_HR)
    # A role that approves nothing needs the phone as well: nobody else is shown the password.
    assert office(*words).err.startswith("smartwatch: staff_phone_needed: ")
    office(*words, "--phone", "13800138001")
    reset = office("staff", "reset", "bo@example.org")
    assert (reset.code, "on its way to the phone" in reset.out) == (0, True)
    assert office("staff", "end", "bo@example.org").out == "bo@example.org: ended.\n"
    assert office("staff", "end", "bo@example.org").out == "bo@example.org: has ended already.\n"
    refused = office("staff", "reset", "bo@example.org")
    assert (refused.code, "staff_ended" in refused.err) == (1, True)
    assert "staff_unknown" in office("staff", "end", "nobody@example.org").err
