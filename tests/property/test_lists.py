"""Whatever bytes are given as a list: rows that hold what they promise, or the one typed refusal."""

from datetime import date

from hypothesis import example, given
from hypothesis import strategies as st

from services.core.devices.watches.rules import is_serial, luhn_fits, read_watch_list
from services.core.office.enrolment.actions import read_family_list
from services.core.office.registration.vendor_file import read_vendor_file
from services.core.platform.spreadsheets.sheets import SheetRefusedError

# Bytes that look like lists reach deeper than any bytes do.
PIECES = st.sampled_from(
    [
        b"serial", b"imei", b"model", b"site", b"iccid", b"sim_holder", b"sim_expires", b"family_code", b"phone",
        b"cohort", b"watch_serial", b"secret", b",", b";", b"\t", b"\n", b"\r\n", b"\r", b'"', b'""',
        b"\xef\xbb\xbf",
        b"sep=", b"SW000001", b"860000000000009", b"2027-01-31", b"+8613800138000", b"=1+1", b"\x00", b"\xff",
        b"\xed\xa0\x80",
        "\u202e".encode(), "\u2028".encode(), "\U0001f600".encode(), "e\u0301".encode(), b"A1", b" ", b"x" * 300,
    ]
)  # fmt: skip
LISTS = st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=60).map(b"".join))
HEADINGS = st.sampled_from(
    [b"serial,imei,model,site\n", b"family_code,phone,site,cohort,watch_serial\n", b"serial,secret\n", b""]
)


def _names_faults(refused: SheetRefusedError) -> None:
    assert refused.faults
    assert all(fault.code and fault.sentence for fault in refused.faults)


@given(HEADINGS, LISTS)
@example(b"", b"sep=;")
@example(b"", b'"')
@example(b"serial,imei,model,site\n", b'"\n,')
def test_no_bytes_bring_down_the_reading_of_a_list(heading: bytes, body: bytes) -> None:
    raw = heading + body
    try:
        for watch in read_watch_list(raw):
            assert is_serial(watch.serial)
            assert watch.imei is None or luhn_fits(watch.imei)
            assert watch.sim_expires_on is None or isinstance(watch.sim_expires_on, date)
    except SheetRefusedError as refused:
        _names_faults(refused)
    try:
        for family in read_family_list(raw):
            assert family.family_code.isascii()
            assert any(sign.isdigit() for sign in family.family_code)
    except SheetRefusedError as refused:
        _names_faults(refused)


WATCHES = read_watch_list(b"serial,imei,model,site\nSW000001,860000000000009,m,s\nSW000002,,m,s\n")


@given(LISTS)
# Of the 94 printable characters twenty are enough for 128 bits.
@example(b",!!!!!!!!!!!!!!\"#$%&'")
def test_no_bytes_bring_down_the_reading_of_a_vendors_file(body: bytes) -> None:
    try:
        entries = read_vendor_file(b"serial,secret\n" + body, WATCHES)
    except SheetRefusedError as refused:
        _names_faults(refused)
    else:
        assert all(len(secret) >= 20 for secret in entries.sound().values())
        assert entries.faults or set(entries.secrets) <= {"SW000001", "SW000002"}
        assert {fault.file for fault in entries.faults} <= {"vendor file"}
