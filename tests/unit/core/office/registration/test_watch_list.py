"""Valid lists of watches."""

import pytest

from services.core.devices.watches.errors import WatchStateError
from services.core.devices.watches.rules import check_move, luhn_fits, read_watch_list
from services.core.platform.spreadsheets.sheets import SheetRefusedError

HEADING = "serial,imei,model,site,iccid,sim_holder,sim_expires\n"
GOOD = "SW000001,860000000000009,sim-1,Dongguan,89860000000000000001,Programme,2027-01-31\n"


def faults(rows: str) -> list[tuple[int, str, str]]:
    with pytest.raises(SheetRefusedError) as refused:
        read_watch_list((HEADING + rows).encode())
    return [(fault.row, fault.column, fault.code) for fault in refused.value.faults]


def test_a_good_row_is_read_as_it_stands() -> None:
    (watch,) = read_watch_list((HEADING + GOOD).encode())
    assert (watch.serial, watch.imei, watch.model, watch.site) == ("SW000001", "860000000000009", "sim-1", "Dongguan")
    assert (watch.iccid, watch.sim_holder, str(watch.sim_expires_on)) == (
        "89860000000000000001",
        "Programme",
        "2027-01-31",
    )


def test_what_is_not_known_of_the_sim_may_be_left_out() -> None:
    (watch,) = read_watch_list(b"serial,model,site\nABCD,m,s\n")
    assert (watch.imei, watch.iccid, watch.sim_holder, watch.sim_expires_on) == (None, None, None, None)


@pytest.mark.parametrize("serial", ["", "ABC", "A" * 21, "AB-12", "AB 12", "ÄBCD", "\uff21\uff22\uff23\uff24", "12/34"])
def test_a_serial_is_4_to_20_of_capital_letters_and_digits(serial: str) -> None:
    assert faults(GOOD.replace("SW000001", serial)) == [(2, "serial", "serial_malformed")]


@pytest.mark.parametrize(
    ("imei", "code"),
    [
        ("86000000000000", "imei_malformed"),
        ("8600000000000095", "imei_malformed"),
        ("86000000000000A", "imei_malformed"),
        ("\u0668\u0666000000000000\u0669", "imei_malformed"),
        ("860000000000006", "imei_checksum"),
        ("8.6E+14", "imei_rounded"),
        ("8,6E+14", "imei_rounded"),
    ],
)
def test_an_imei_is_15_digits_that_fit_each_other(imei: str, code: str) -> None:
    assert faults(GOOD.replace("860000000000009", f'"{imei}"')) == [(2, "imei", code)]


@pytest.mark.parametrize("known", ["490154203237518", "356938035643809"])
def test_published_examples_of_imeis_pass_the_check(known: str) -> None:
    assert luhn_fits(known)
    assert not any(luhn_fits(known[:-1] + digit) for digit in "0123456789" if digit != known[-1])


@pytest.mark.parametrize(
    ("cell", "new", "column", "code"),
    [
        ("89860000000000000001", "8986", "iccid", "iccid_malformed"),
        ("89860000000000000001", "8.986E+19", "iccid", "iccid_rounded"),
        ("2027-01-31", "31.01.2027", "sim_expires", "sim_expires_malformed"),
        ("2027-01-31", "2027-02-31", "sim_expires", "sim_expires_malformed"),
        ("2027-01-31", "20270131", "sim_expires", "sim_expires_malformed"),
        ("sim-1", "", "model", "model_missing"),
        ("sim-1", "m" * 41, "model", "model_too_long"),
        ("Dongguan", "", "site", "site_missing"),
        ("Programme", "h" * 41, "sim_holder", "sim_holder_too_long"),
    ],
)
def test_every_cell_is_checked(cell: str, new: str, column: str, code: str) -> None:
    assert faults(GOOD.replace(cell, new)) == [(2, column, code)]


def test_all_faults_of_all_rows_are_told_and_repeats_name_the_first_row() -> None:
    assert faults(GOOD + "x,1,m,s,2,,3\n" + GOOD) == [
        (3, "iccid", "iccid_malformed"),
        (3, "imei", "imei_malformed"),
        (3, "serial", "serial_malformed"),
        (3, "sim_expires", "sim_expires_malformed"),
        (4, "iccid", "iccid_repeated"),
        (4, "imei", "imei_repeated"),
        (4, "serial", "serial_repeated"),
    ]


@pytest.mark.parametrize(
    ("state", "target"),
    [("registered", "returned"), ("lost", "handed_out"), ("broken", "handed_out"), ("handed_out", "registered")],
)
def test_a_watch_does_not_skip_a_step(state: str, target: str) -> None:
    with pytest.raises(WatchStateError) as refused:
        check_move("SW000001", state, target)
    assert refused.value.fields() == {"serial": "SW000001", "state": state, "asked": target}
