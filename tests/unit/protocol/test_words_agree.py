"""The lists that the product keeps for itself are the wire's: neither side can name what the other does not know."""

from services.core.conversation.messages.rules import EMOJI
from services.core.people.households.rules import RELATIONS
from services.protocol import words


def test_the_product_sends_exactly_the_emoji_that_watches_know() -> None:
    assert {word.value for word in words.Emoji} == EMOJI


def test_the_product_names_exactly_the_relations_that_watches_know() -> None:
    assert {word.value for word in words.Relation} == set(RELATIONS)
