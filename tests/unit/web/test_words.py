"""The words of the pages: the same keys in four languages, short sentences, none of them technical."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from services.core.platform.locales import LOCALES
from services.protocol.words import EMOJI_GLYPHS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "services" / "web" / "locales"
SOURCES = [*(ROOT / "web" / "shared").rglob("*.ts*"), *(ROOT / "web" / "parents").rglob("*.ts*")]
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LONGEST_WORDS, LONGEST_CHARACTERS = 14, 28
TECHNICAL = {
    "en": ("server", "browser", "cache", "token", "session", "sync", "upload", "API", "cookie", "URL", "GPS"),
    "zh-Hans": ("服务器", "缓存", "令牌", "会话", "同步", "上传", "下载", "API"),
    "vi": ("máy chủ", "trình duyệt", "bộ nhớ đệm", "phiên", "đồng bộ", "tải lên", "API", "GPS"),
    "tr": ("sunucu", "tarayıcı", "önbellek", "oturum", "eşitle", "yükle", "API", "GPS"),  # noqa: RUF001 - Turkish
}  # fmt: skip


def words_of(locale: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((FOLDER / f"{locale}.json").read_text(encoding="utf-8"))
    return found


def bases(locale: str) -> dict[str, set[str]]:
    """Return the placeholders of each key; the forms of one key together."""
    found: dict[str, set[str]] = {}
    for key, text in words_of(locale).items():
        found.setdefault(key.partition("#")[0], set()).update(PLACEHOLDER.findall(text))
    return found


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?:])\s+|(?<=[。！？：])", text) if part]  # noqa: RUF001 - Chinese


def test_the_files_are_those_of_the_languages() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(LOCALES)


@pytest.mark.parametrize("locale", LOCALES)
def test_each_language_has_the_same_keys_with_the_same_placeholders(locale: str) -> None:
    assert bases(locale) == bases("en")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_sentence_is_short_and_has_no_technical_word(locale: str) -> None:
    faults = []
    for key, text in words_of(locale).items():
        for sentence in sentences(text):
            plain = PLACEHOLDER.sub("x", sentence)
            too_long = len(plain) > LONGEST_CHARACTERS if locale == "zh-Hans" else len(plain.split()) > LONGEST_WORDS
            technical = [
                one
                for one in TECHNICAL[locale]
                if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", sentence, re.IGNORECASE)
            ]
            if too_long or (technical and locale != "zh-Hans") or any(one in text for one in TECHNICAL["zh-Hans"]):
                faults.append((key, sentence, technical))
    assert faults == []


def test_only_english_has_forms_and_each_has_both() -> None:
    for locale in LOCALES:
        forms = {key for key in words_of(locale) if "#" in key}
        if locale != "en":
            assert forms == set()
        for key in forms:
            assert {f"{key.partition('#')[0]}#{form}" for form in ("one", "other")} <= forms


def test_every_key_is_used() -> None:
    source = "\n".join(source.read_text(encoding="utf-8") for source in SOURCES)
    made = set(re.findall(r"`([a-z_]+\.[a-z_]*)\$\{", source))
    unused = {
        key
        for key in bases("en")
        if f'"{key}"' not in source and not any(key.startswith(one) for one in made)
    }  # fmt: skip
    assert unused == set()


def test_each_emoji_of_the_contract_is_drawn_and_named() -> None:
    text = (ROOT / "web" / "parents" / "talk" / "emoji.ts").read_text(encoding="utf-8")
    drawn = dict(re.findall(r'(\w+): "([^"]+)"', text))
    assert drawn == {word.value: glyph for word, glyph in EMOJI_GLYPHS.items()}
    assert {f"emoji.{word}" for word in drawn} <= bases("en").keys()
