"""No payload to a watch exceeds what it can take, and nothing is lost in cutting."""

import pytest

from services.protocol import codec, limits
from services.protocol.downlink import Config, Contact, ItemText, Quiet, Receipt, RejectedEntry
from services.protocol.pairing import Credentials, PairedWithCredentials, PairingCode
from services.protocol.split import (
    missing_receipt,
    split_config,
    split_contacts,
    split_receipts,
    split_text,
)
from services.protocol.words import Detail, ReceiptCode

SMALLEST_BYTES = limits.MAX_PAYLOAD_FLOOR_BYTES
# The worst a name can be: characters that JSON escapes to six bytes each.
LONGEST_NAME = "\x01" * limits.NAME_MAX_CHARS


def _longest_contact(number: int) -> Contact:
    return Contact(
        id=f"{number:0{limits.ID_MAX_CHARS}d}",
        name=LONGEST_NAME,
        relation="x" * limits.WORD_MAX_CHARS,
        number="+" + "9" * (limits.NUMBER_TEXT_MAX_CHARS - 1),
        position=limits.INT4_MAX,
    )


def test_fifty_contacts_with_the_longest_names_reach_the_smallest_watch() -> None:
    contacts = [_longest_contact(number) for number in range(limits.ARRAY_MAX_ITEMS)]
    parts = split_contacts(limits.INT4_MAX, contacts, SMALLEST_BYTES)
    assert all(len(codec.encode(part)) <= SMALLEST_BYTES for part in parts)
    assert [contact for part in parts for contact in part.contacts] == contacts
    assert [(part.part, part.parts) for part in parts] == [(n, len(parts)) for n in range(1, len(parts) + 1)]


def test_an_empty_list_is_told_too() -> None:
    [part] = split_contacts(4, [], SMALLEST_BYTES)
    assert (part.version, part.part, part.parts, part.contacts) == (4, 1, 1, [])


def test_a_few_contacts_come_in_one_part() -> None:
    contacts = [Contact(id=f"g-{number}", name="Mama") for number in range(5)]
    assert len(split_contacts(1, contacts, limits.MAX_PAYLOAD_DEFAULT_BYTES)) == 1


def test_every_part_of_a_config_carries_the_plain_settings() -> None:
    quiet = [Quiet(days=[1, 2, 3, 4, 5, 6, 7], starts=f"{hour:02d}:00", ends=f"{hour:02d}:30") for hour in range(24)]
    config = Config(version=9, location=True, timezone="Z" * 64, language="x" * 35, quiet=quiet, utc_offset_s=-50400)
    parts = split_config(config, SMALLEST_BYTES)
    assert len(parts) > 1
    assert all(len(codec.encode(part)) <= SMALLEST_BYTES for part in parts)
    assert [time for part in parts for time in part.quiet] == quiet
    plain = {"part": 1, "parts": 1, "quiet": quiet}
    assert all(part.model_copy(update=plain) == config for part in parts)


@pytest.mark.parametrize("character", ["a", "早", "🌙", '"', "\x01"])
def test_the_longest_text_reaches_the_smallest_watch_whole(character: str) -> None:
    item = ItemText(
        seq=limits.INT8_MAX,
        sender="g" * limits.ID_MAX_CHARS,
        tst=limits.UNIX_MAX_S,
        expires_tst=limits.UNIX_MAX_S,
        text=character * limits.TEXT_MAX_CHARS,
    )
    parts = split_text(item, SMALLEST_BYTES)
    assert all(len(codec.encode(part)) <= SMALLEST_BYTES for part in parts)
    assert "".join(part.text for part in parts) == item.text
    for part in parts:
        assert codec.decode_item(codec.encode(part)) == part


def test_a_text_that_fits_is_not_cut_and_looks_as_in_the_contract() -> None:
    item = ItemText(seq=13, sender="g-1", tst=1764000035, text="早点睡")
    assert split_text(item, SMALLEST_BYTES) == [item]
    assert b"part" not in codec.encode(item)
    assert b"expires" not in codec.encode(item)


def test_the_receipts_of_an_array_name_every_entry_once() -> None:
    refs = [f"{number:036d}" for number in range(30)]
    rejected = [
        RejectedEntry(ref=f"{number:036d}", detail=Detail.RECIPIENT_REMOVED, index=number) for number in range(20)
    ]
    receipts = split_receipts(refs, rejected, SMALLEST_BYTES)
    assert all(len(codec.encode(receipt)) <= SMALLEST_BYTES for receipt in receipts)
    assert [ref for receipt in receipts for ref in receipt.refs or []] == refs
    assert [entry for receipt in receipts for entry in receipt.rejected or []] == rejected
    for receipt in receipts:
        assert codec.decode_json(codec.encode(receipt), Receipt) == receipt
        assert (receipt.code is ReceiptCode.STORED) == bool(receipt.refs)


def test_an_array_without_ids_gets_no_receipt() -> None:
    assert split_receipts([], [], SMALLEST_BYTES) == []


def test_missing_lists_the_first_thirty_two_in_order() -> None:
    receipt = missing_receipt("k3m9q2x7d5fa", [*range(2047, 1900, -1), 3, 3])
    assert receipt.missing == [3, *range(1901, 1932)]
    assert len(codec.encode(receipt)) <= SMALLEST_BYTES


def test_no_watch_takes_less_than_the_floor() -> None:
    with pytest.raises(ValueError, match="1,024"):
        split_contacts(1, [], SMALLEST_BYTES - 1)


def test_the_longest_answers_to_a_factory_identity_fit_before_any_hello() -> None:
    user = "w-" + "a" * limits.PAIRED_NAME_MAX_CHARS
    paired = PairedWithCredentials(
        child_name=LONGEST_NAME,
        credentials=Credentials(
            username=user,
            password='"' * limits.PASSWORD_MAX_CHARS,
            client_id=user,
            prefix=f"sw/v1/{user}",
            host="h" * limits.HOST_MAX_CHARS,
            port=65535,
        ),
    )
    code = PairingCode(
        code="9" * 12,
        qr="https://" + "\\" * (limits.URL_MAX_CHARS - 8),
        expires_tst=limits.UNIX_MAX_S,
    )
    assert len(codec.encode(paired)) <= SMALLEST_BYTES
    assert len(codec.encode(code)) <= SMALLEST_BYTES
