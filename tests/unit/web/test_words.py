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
# The words of each face, and the sources that may say them. The console also says words of the parents' app.
FACES = {
    "parents": (FOLDER, ("shared", "parents")),
    "staff": (FOLDER / "staff", ("staff", "wall")),
    "watch": (FOLDER / "watch", ("watch",)),
}
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LONGEST_WORDS, LONGEST_CHARACTERS = 14, 28
TECHNICAL = {
    "en": ("server", "browser", "cache", "token", "session", "sync", "upload", "API", "cookie", "URL", "GPS"),
    "zh-Hans": ("服务器", "缓存", "令牌", "会话", "同步", "上传", "下载", "API"),
    "vi": ("máy chủ", "trình duyệt", "bộ nhớ đệm", "phiên", "đồng bộ", "tải lên", "API", "GPS"),
    "tr": ("sunucu", "tarayıcı", "önbellek", "oturum", "eşitle", "yükle", "API", "GPS"),  # noqa: RUF001 - Turkish
}  # fmt: skip


def words_of(locale: str, face: str = "parents") -> dict[str, str]:
    words: dict[str, str] = json.loads((FACES[face][0] / f"{locale}.json").read_text(encoding="utf-8"))
    return words


def source_of(face: str) -> str:
    files = [file for folder in FACES[face][1] for file in sorted((ROOT / "web" / folder).rglob("*.ts*"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def bases(locale: str, face: str = "parents") -> dict[str, set[str]]:
    """Return the placeholders of each key; the forms of one key together."""
    placeholders: dict[str, set[str]] = {}
    for key, text in words_of(locale, face).items():
        placeholders.setdefault(key.partition("#")[0], set()).update(PLACEHOLDER.findall(text))
    return placeholders


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?:])\s+|(?<=[。！？：])", text) if part]  # noqa: RUF001 - Chinese


def test_the_files_are_those_of_the_languages() -> None:
    for folder, _ in FACES.values():
        assert {path.stem for path in folder.glob("*.json")} == set(LOCALES)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("locale", LOCALES)
def test_each_language_has_the_same_keys_with_the_same_placeholders(locale: str, face: str) -> None:
    assert bases(locale, face) == bases("en", face)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_sentence_is_short_and_has_no_technical_word(locale: str, face: str) -> None:
    faults = []
    for key, text in words_of(locale, face).items():
        for sentence in sentences(text):
            plain = PLACEHOLDER.sub("x", sentence)
            too_long = len(plain) > LONGEST_CHARACTERS if locale == "zh-Hans" else len(plain.split()) > LONGEST_WORDS
            technical = [
                term
                for term in TECHNICAL[locale]
                if re.search(rf"(?<!\w){re.escape(term)}(?!\w)", sentence, re.IGNORECASE)
            ]
            if too_long or (technical and locale != "zh-Hans") or any(term in text for term in TECHNICAL["zh-Hans"]):
                faults.append((key, sentence, technical))
    assert faults == []


@pytest.mark.parametrize("face", FACES)
def test_only_english_has_forms_and_each_has_both(face: str) -> None:
    for locale in LOCALES:
        forms = {key for key in words_of(locale, face) if "#" in key}
        if locale != "en":
            assert forms == set()
        for key in forms:
            assert {f"{key.partition('#')[0]}#{form}" for form in ("one", "other")} <= forms


@pytest.mark.parametrize("face", FACES)
def test_every_key_is_used(face: str) -> None:
    source = source_of(face)
    made = set(re.findall(r"`([a-z_]+\.[a-z_]*)\$\{", source))
    # Both faces say what the server refuses with.
    made.add("problem.")
    unused = {
        key
        for key in bases("en", face)
        if f'"{key}"' not in source and not any(key.startswith(prefix) for prefix in made)
    }  # fmt: skip
    assert unused == set()


def test_the_parents_app_says_no_word_of_the_console() -> None:
    keys = set(re.findall(r'"([a-z_]+\.[\w.]+)"', source_of("parents")))
    assert keys & (bases("en", "staff").keys() - bases("en").keys()) == set()


def test_each_emoji_of_the_contract_is_drawn_and_named() -> None:
    text = (ROOT / "web" / "parents" / "talk" / "emoji.ts").read_text(encoding="utf-8")
    drawn = dict(re.findall(r'(\w+): "([^"]+)"', text))
    assert drawn == {word.value: glyph for word, glyph in EMOJI_GLYPHS.items()}
    assert {f"emoji.{word}" for word in drawn} <= bases("en").keys()
