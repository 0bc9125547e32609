"""The text of the AsyncAPI document: the contract's sentences as Markdown."""

from typing import Final

from services.protocol.contract import SECTIONS
from services.protocol.sentences import INTRODUCTION

DESCRIPTION: Final = "\n\n".join([INTRODUCTION.rstrip(), *(section.as_markdown() for section in SECTIONS)]) + "\n"
