"""Check the subject of a commit message: `area: what it does`, up to 72 characters. Called with the message's file."""

import re
import sys
from pathlib import Path

LONGEST_SUBJECT = 72
SUBJECT = re.compile(r"(?P<area>[a-z][a-z0-9 _/-]*): (?P<what>[^ ].*)")
# Git writes these by itself.
MADE_BY_GIT = ("Merge ", "Revert ", "fixup! ", "squash! ", "amend! ")


def faults(message: str) -> list[str]:
    """Return one sentence for each fault of a commit message; empty when it has none."""
    subject, _, rest = message.partition("\n")
    if subject.startswith(MADE_BY_GIT):
        return []
    sentences = []
    if len(subject) > LONGEST_SUBJECT:
        sentences.append(f"the subject has {len(subject)} characters, more than {LONGEST_SUBJECT}")
    shaped = SUBJECT.fullmatch(subject)
    if not shaped:
        sentences.append(
            'the subject is not "area: what it does", for example "broker: bound connections without a log-in"'
        )
    elif shaped["what"].endswith("."):
        sentences.append("the subject ends with a full stop")
    if rest and not rest.startswith("\n"):
        sentences.append("an empty line must follow the subject")
    return sentences


def main() -> int:
    sentences = faults(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for line in sentences:
        print(f"commit message: {line} (CONTRIBUTING.md)", file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
