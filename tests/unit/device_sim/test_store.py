"""The watch's memory: what is written stays written, and what belongs together is written together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.device_sim.watch.records import (
    FactoryIdentity,
    Incoming,
    IncomingState,
    OutgoingState,
    OwedReceipt,
    SentState,
    Transfer,
)
from services.device_sim.watch.store import WatchFolderError, WatchStore
from services.protocol.downlink import Config, Contact, ItemVoice, VoiceManifest
from services.protocol.pairing import Credentials, PairedWithCredentials


def answer(username: str = "w-aaaaaaaaaaaa", child_name: str = "Mei") -> PairedWithCredentials:
    return PairedWithCredentials(
        child_name=child_name,
        credentials=Credentials(
            username=username,
            password="password-of-a-test",
            client_id=username,
            prefix=f"sw/v1/{username}",
            host="broker.example",
            port=8883,
        ),
    )


VOICE = ItemVoice(
    seq=13,
    sender="g-1",
    voice=VoiceManifest(codec="amr-nb", bytes=600, chunk_bytes=512, chunks=2, sha256="0" * 64, duration_ms=300),
)


def text_item(ref: str = "a01b77c3", seq: int = 13, text: str = "good morning") -> Incoming:
    return Incoming(ref, seq, "text", "g-1", text, 0, IncomingState.DELIVERED)


def delivered(ref: str = "a01b77c3") -> OwedReceipt:
    return OwedReceipt(ref, "delivered", tst=1, boot=1, mono_s=2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WatchStore]:
    store = WatchStore(tmp_path)
    store.set_factory_identity(FactoryIdentity("SIM00001", "secret"))
    yield store
    store.close()


def test_everything_is_there_after_a_restart(store: WatchStore, tmp_path: Path) -> None:
    store.store_credentials(answer())
    store.set_contacts(3, [Contact(id="g-1", name="Mama")])
    store.set_config(Config(version=2, language="vi"))
    store.set_server_ahead(12.5)
    kept = store.outgoing.keep("t81kd02mq7zr", "text", b"{}")
    store.items.store(text_item(), delivered())
    before = (store.count_boot(), store.credentials())
    store.close()

    again = WatchStore(tmp_path)
    assert again.credentials() == before[1]
    assert again.count_boot() == before[0] + 1
    assert (again.contacts_version(), [contact.name for contact in again.contacts()]) == (3, ["Mama"])
    config = again.config()
    assert config is not None
    assert (config.version, config.language) == (2, "vi")
    assert again.server_ahead_s() == 12.5
    assert again.outgoing.pending() == [kept]
    assert again.items.visible() == [text_item()]
    assert again.items.owed_receipts() == [delivered()]
    again.close()


def test_a_second_watch_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = WatchStore(tmp_path)
    with pytest.raises(WatchFolderError):
        WatchStore(tmp_path)
    first.close()
    WatchStore(tmp_path).close()


def test_the_folder_of_one_watch_never_becomes_anothers(store: WatchStore) -> None:
    store.set_factory_identity(FactoryIdentity("SIM00001", "a new secret"))
    with pytest.raises(WatchFolderError):
        store.set_factory_identity(FactoryIdentity("SIM00002", "secret"))
    assert store.factory_identity() == FactoryIdentity("SIM00001", "a new secret")


def test_credentials_told_again_keep_everything(store: WatchStore) -> None:
    assert store.store_credentials(answer())
    store.outgoing.keep("t81kd02mq7zr", "text", b"{}")
    store.set_pairing_asked(asked=True)
    assert not store.store_credentials(answer())
    assert len(store.outgoing.pending()) == 1
    assert not store.is_pairing_asked()


def test_another_pairing_sees_nothing_of_the_first(store: WatchStore) -> None:
    store.store_credentials(answer())
    store.set_contacts(3, [Contact(id="g-1", name="Mama")])
    store.set_config(Config(version=2))
    store.outgoing.keep("t81kd02mq7zr", "text", b"a secret word of the first child")
    store.outgoing.record_sent_state(SentState("t81kd02mq7zr", "g-1", "played", None))
    store.items.store(text_item(), delivered())
    assert store.store_credentials(answer("w-bbbbbbbbbbbb", "Lan"))
    assert store.child_name() == "Lan"
    assert (store.contacts(), store.contacts_version(), store.config_version()) == ([], 0, 0)
    assert store.outgoing.all() == []
    assert (store.items.visible(), store.items.owed_receipts(), store.outgoing.sent_states()) == ([], [], [])


def test_a_wipe_leaves_no_word_on_the_disk_and_keeps_what_the_factory_wrote(store: WatchStore, tmp_path: Path) -> None:
    store.store_credentials(answer())
    store.outgoing.keep("t81kd02mq7zr", "text", b"a secret word of the child")
    store.items.store(text_item(text="a secret word of the mother"), delivered())
    store.wipe()
    assert store.username() is None
    assert store.factory_identity() == FactoryIdentity("SIM00001", "secret")
    for file in tmp_path.iterdir():
        assert b"a secret word" not in file.read_bytes()


def test_a_wipe_empties_every_table_but_the_one_of_the_watch_itself(store: WatchStore, tmp_path: Path) -> None:
    store.store_credentials(answer())
    store.outgoing.keep_recording("t81kd02mq7zr", b"{}", 512, b"sound")
    store.sounds.store_announcement("v1", VOICE)
    store.sounds.store_chunk("v1", 0, b"sound")
    store.sounds.store_clip(Transfer("v2", VOICE, frozenset({0})), b"sound", delivered("v2"))
    store.outgoing.record_sent_state(SentState("m", "g-1", "delivered", None))
    store.set_locked(locked=True)
    database = sqlite3.connect(tmp_path / "watch.sqlite3")
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    own = sorted(set(tables) - {"watch", "battery", "sqlite_sequence"})

    def rows() -> dict[str, int]:
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in own}  # noqa: S608

    assert all(rows().values())
    store.wipe()
    assert not any(rows().values())
    database.close()


def test_lost_credentials_leave_the_name_that_unpaired_can_name(store: WatchStore) -> None:
    store.store_credentials(answer())
    store.lose_credentials()
    assert store.credentials() is None
    assert store.username() == "w-aaaaaaaaaaaa"


def test_an_item_that_comes_twice_is_there_once(store: WatchStore) -> None:
    assert store.items.store(text_item(), delivered())
    assert not store.items.store(text_item(text="other"), delivered())
    assert [item.text for item in store.items.visible()] == ["good morning"]
    assert store.items.owed_receipts() == [delivered()]


def test_the_inbox_is_in_server_order_whatever_came_first(store: WatchStore) -> None:
    for ref, seq in (("c3", 30), ("a1", 10), ("b2", 20)):
        store.items.store(text_item(ref, seq), delivered(ref))
    assert [item.ref for item in store.items.visible()] == ["a1", "b2", "c3"]


def test_a_removed_item_is_gone_and_a_late_repeat_does_not_bring_it_back(store: WatchStore) -> None:
    store.items.store(text_item(), delivered())
    announcement = Incoming("b77c01aa", 14, "removed", "", "", 0, IncomingState.REMOVED)
    assert store.items.remove("a01b77c3", announcement, delivered("b77c01aa"))
    assert not store.items.remove("a01b77c3", announcement, delivered("b77c01aa"))
    assert not store.items.store(text_item(), delivered())
    assert store.items.visible() == []
    item = store.items.find("a01b77c3")
    assert item is not None
    assert item.text == ""


def test_reading_twice_owes_played_once_and_never_for_what_was_removed(store: WatchStore) -> None:
    store.items.store(text_item(), delivered())
    played = OwedReceipt("a01b77c3", "played", tst=5)
    assert store.items.mark_played("a01b77c3", played)
    assert not store.items.mark_played("a01b77c3", played)
    assert [receipt.state for receipt in store.items.owed_receipts()] == ["delivered", "played"]
    assert not store.items.mark_played("never-came", played)


def test_a_receipt_is_owed_until_its_own_answer_comes(store: WatchStore) -> None:
    store.items.store(text_item(), delivered())
    store.items.owe(OwedReceipt("t81kd02mq7zr", "seen", "played"))
    assert not store.items.settle_receipt("a01b77c3", "played", None)
    assert not store.items.settle_receipt("t81kd02mq7zr", "seen", "delivered")
    assert store.items.settle_receipt("a01b77c3", "delivered", None)
    assert not store.items.settle_receipt("a01b77c3", "delivered", None)
    assert [receipt.key for receipt in store.items.owed_receipts()] == [("t81kd02mq7zr", "seen", "played")]


def test_what_the_child_made_is_pending_until_its_final_receipt(store: WatchStore) -> None:
    first = store.outgoing.keep("aaaaaaaaaaaa", "text", b"1")
    second = store.outgoing.keep("bbbbbbbbbbbb", "text", b"2")
    store.outgoing.mark_sent(first.number)
    assert [record.number for record in store.outgoing.pending()] == [first.number, second.number]
    assert store.outgoing.mark_answered("aaaaaaaaaaaa", OutgoingState.STORED)
    assert not store.outgoing.mark_answered("aaaaaaaaaaaa", OutgoingState.REJECTED, "malformed")
    assert [record.number for record in store.outgoing.pending()] == [second.number]
    assert store.outgoing.get(first.number).state is OutgoingState.STORED


def test_a_recording_is_there_after_a_restart_and_gone_with_its_receipt(store: WatchStore, tmp_path: Path) -> None:
    store.set_factory_identity(FactoryIdentity("SIM00001", "secret"))
    kept = store.outgoing.keep_recording("t81kd02mq7zr", b"{}", 4, b"recording")
    store.close()
    again = WatchStore(tmp_path)
    assert again.outgoing.pending() == [kept]
    assert [again.outgoing.recorded_chunk(kept.number, chunk) for chunk in range(4)] == [b"reco", b"rdin", b"g", b""]
    assert again.sounds.held_bytes() == len(b"recording")
    assert again.outgoing.mark_answered("t81kd02mq7zr", OutgoingState.STORED)
    assert (again.outgoing.recorded_chunk(kept.number, 0), again.sounds.held_bytes()) == (b"", 0)
    again.close()


def test_room_is_counted_for_what_is_on_its_way_and_the_oldest_played_makes_it(store: WatchStore) -> None:
    for ref in ("v1", "v2", "v3"):
        store.sounds.store_clip(Transfer(ref, VOICE, frozenset({0})), b"sound", delivered(ref))
    assert not store.sounds.free_oldest_played()
    for ref in ("v3", "v2"):
        store.items.mark_played(ref, OwedReceipt(ref, "played"))
    store.sounds.store_announcement("v4", VOICE)
    assert (store.sounds.held_bytes(), store.sounds.held_bytes(besides="v4")) == (15 + 600, 15)
    assert store.sounds.free_oldest_played()
    # All have the same number, so the name decides; the message itself stays.
    assert [store.sounds.find(ref) for ref in ("v1", "v2", "v3")] == [b"sound", None, b"sound"]
    assert [item.ref for item in store.items.visible()] == ["v1", "v2", "v3"]


def test_chunks_survive_a_restart_and_the_same_manifest_but_no_other(store: WatchStore, tmp_path: Path) -> None:
    assert store.sounds.store_announcement("v1", VOICE)
    store.sounds.store_chunk("v1", 0, b"first")
    store.sounds.store_chunk("v1", 0, b"again")
    store.close()
    again = WatchStore(tmp_path)
    assert again.sounds.store_announcement("v1", VOICE.model_copy(update={"tst": 99}))
    assert again.sounds.find_transfer("v1") is not None
    assert again.sounds.joined_chunks("v1") == b"again"
    other = VOICE.model_copy(update={"voice": VOICE.voice.model_copy(update={"sha256": "1" * 64})})
    assert not again.sounds.store_announcement("v1", other)
    assert again.sounds.joined_chunks("v1") == b""
    again.close()


def test_a_fresh_id_keeps_the_message_and_its_place(store: WatchStore) -> None:
    first = store.outgoing.keep("aaaaaaaaaaaa", "text", b"1")
    store.outgoing.keep("bbbbbbbbbbbb", "text", b"2")
    store.outgoing.mark_sent(first.number)
    store.outgoing.give_fresh_id(first.number, "cccccccccccc", b"1 again")
    assert [(record.wire_id, record.payload) for record in store.outgoing.pending()] == [
        ("cccccccccccc", b"1 again"),
        ("bbbbbbbbbbbb", b"2"),
    ]
    assert store.outgoing.find("aaaaaaaaaaaa") is None


def test_an_earlier_state_never_replaces_a_later_one(store: WatchStore) -> None:
    assert store.outgoing.record_sent_state(SentState("m", "g-1", "delivered", None))
    assert store.outgoing.record_sent_state(SentState("m", "g-1", "played", None))
    assert not store.outgoing.record_sent_state(SentState("m", "g-1", "delivered", None))
    assert store.outgoing.record_sent_state(SentState("m", "g-2", "delivered", None))
    assert {(state.by, state.state) for state in store.outgoing.sent_states("m")} == {
        ("g-1", "played"),
        ("g-2", "delivered"),
    }
