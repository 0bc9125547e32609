"""What `doctor` says of the process that decodes recordings."""

from __future__ import annotations

import platform

import pytest

from services.core.platform.audio import confinement
from services.devstack import doctor


def test_the_layers_of_this_machine_are_named() -> None:
    layers = confinement.available_layers()
    assert {*layers} <= {"a user of its own", "Landlock", "seccomp"}
    if platform.machine() in confinement.CALLS:
        # Linux has had filters since 3.5; containers keep them.
        assert "seccomp" in layers
    assert all(layer in doctor.decoder().what for layer in layers)


@pytest.mark.parametrize(
    ("layers", "is_well"), [([], False), (["a user of its own"], False), (["Landlock"], True), (["seccomp"], True)]
)
def test_limits_and_a_user_alone_are_not_enough(
    monkeypatch: pytest.MonkeyPatch, layers: list[str], *, is_well: bool
) -> None:
    monkeypatch.setattr(doctor, "available_layers", lambda: layers)
    assert doctor.decoder().ok is is_well
