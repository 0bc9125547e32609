"""The doctor compares what is installed with the lock, which can pin one name for several Pythons."""

from __future__ import annotations

from importlib.metadata import version

from services.devstack.doctor import unlike_the_lock

HASH = "    --hash=sha256:0\n"
INSTALLED = version("typer")


def test_a_name_that_is_pinned_for_several_pythons_may_be_any_of_them() -> None:
    lock = (
        f"typer==0.0.1 ; python_full_version < '3.0' \\\n{HASH}"
        f"typer=={INSTALLED} ; python_full_version >= '3.0' \\\n{HASH}"
    )
    assert list(unlike_the_lock(lock)) == []


def test_another_version_and_a_missing_package_are_told() -> None:
    lock = f"typer==0.0.1 \\\n{HASH}no-such-package==1.0 \\\n{HASH}"
    assert list(unlike_the_lock(lock)) == [f"typer {INSTALLED} instead of 0.0.1", "no-such-package is missing"]


def test_a_package_for_another_platform_may_be_missing() -> None:
    assert list(unlike_the_lock(f"no-such-package==1.0 ; sys_platform == 'win32' \\\n{HASH}")) == []
