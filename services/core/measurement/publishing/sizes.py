"""Which scopes an audience is shown: decided by their sizes, and by who has left or joined. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.core.measurement.publishing.coding import MEDIAN_FAMILIES
from services.core.platform.disclosure import LEAST, Audience, Groups, hidden_groups, membership_is_telling

# Keys under which scopes are kept for the rest of the quarter: hidden for their size, shown with their present size,
# and those whose membership has changed by fewer than k families.
SIZES: Final = "families"
TOLD: Final = "told"
MOVED: Final = "moved"

# A scope of so many times k families is shown although fewer than k of them have left or joined since the week before.
LARGE_FAMILIES: Final = 20

Dark = Mapping[str, frozenset[Hashable]]
Parents = Mapping[Hashable, Hashable | None]


@dataclass(frozen=True)
class Sizes:
    """The scopes of one audience."""

    # Hidden this week.
    hidden: frozenset[Hashable]
    # Hidden for the rest of the quarter.
    small: frozenset[Hashable]
    # Cumulative indicators stand still.
    moved: frozenset[Hashable]
    # The size was published, this week or before, and is unchanged since.
    disclosed: frozenset[Hashable]


def sizes_of(
    parent: Parents,
    sizes: Mapping[Hashable, int],
    changed: Mapping[Hashable, tuple[int, int]],
    before: Dark,
) -> dict[Audience, Sizes]:
    """Decide for each audience; whatever is hidden from staff is hidden from the public."""
    by_audience: dict[Audience, Sizes] = {}
    inside = small_inside = frozenset[Hashable]()
    every_scope = frozenset(parent)
    for audience, least in LEAST.items():
        by_few = frozenset(scope for scope, (gone, come) in changed.items()
                           if membership_is_telling(gone, come, least))  # fmt: skip
        # Of so many families fewer than k move no share by a step; what they do differs from week to week anyway.
        telling = frozenset(scope for scope in by_few if sizes[scope] < LARGE_FAMILIES * least)
        # A cumulative indicator of a fixed population changes only when a family does: a week later it would tell
        # what the one family was that has left, in however large a scope.
        moved = by_few | before.get(f"{audience}/{MOVED}", frozenset()) & every_scope
        disclosed = before.get(f"{audience}/{TOLD}", frozenset())
        disclosed = frozenset(scope for scope in disclosed if changed.get(scope, (0, 0)) == (0, 0))
        groups = Groups(parent, sizes, known=disclosed)
        small_before = before.get(f"{audience}/{SIZES}", frozenset()) | small_inside

        def hide(
            withheld: frozenset[Hashable], groups: Groups = groups, least: int = least
        ) -> frozenset[Hashable]:  # fmt: skip
            few = MEDIAN_FAMILIES * least
            small = {scope for scope, size in sizes.items() if size < few}
            return hide_small_rests(parent, sizes, hidden_groups(groups, least, withheld) | small, few) & every_scope

        hidden = hide(telling | small_before | inside)
        # Scopes that are withheld for one week, and those hidden with them, may be shown in the next.
        small = hide(small_before)
        by_audience[audience] = Sizes(hidden, small, moved, disclosed | (every_scope - hidden))
        inside, small_inside = hidden, small
    return by_audience


def hide_small_rests(
    parent: Parents, sizes: Mapping[Hashable, int], hidden: Collection[Hashable], least: int
) -> frozenset[Hashable]:
    """Hide further scopes until what is shown of no whole leaves a rest of fewer than ``least`` families.

    Of a whole of which two thirds are silent, and a part of which a third speaks, the rest would be told to be silent.
    """
    parts: dict[Hashable, list[Hashable]] = {}
    for scope, over in parent.items():
        if over is not None:
            parts.setdefault(over, []).append(scope)
    dark = set(hidden)

    def shown_below(whole: Hashable) -> Iterator[Hashable]:
        for part in parts.get(whole, ()):
            if part in dark:
                yield from shown_below(part)
            else:
                yield part

    def next_one() -> Hashable | None:
        for whole in sorted(parts.keys() - dark, key=str):
            shown = sorted(shown_below(whole), key=lambda part: (sizes[part], str(part)))
            if 0 < sizes[whole] - sum(sizes[part] for part in shown) < least:
                return shown[0] if shown else whole
        return None

    while (more := next_one()) is not None:
        dark.add(more)
    return frozenset(dark)
