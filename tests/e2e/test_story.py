"""The story that `make demo` plays: every step holds, and both voices are there as files to be heard."""

from __future__ import annotations

from services.devstack.demo.steps import StepResult
from services.devstack.demo.story import Story
from tests.e2e.conftest import Play
from tests.support.sounds import bits_a_second, duration_ms
from tests.support.world import make_site


async def test_every_step_of_the_demo_holds(play: Play) -> None:
    # Another programme has a site of the same name.
    async with play.database.begin() as work:
        site, _ = await make_site(work)
        site.name = "Dongguan"
        work.add(site)
    story, results = Story(play.installation, play.folder / "story"), list[StepResult]()
    try:
        passed = await story.play(results.append)
    finally:
        await story.close()
    assert passed, results[-1].seen
    assert results == story.results
    assert len(results) > 20
    from_mum = (story.voice_folder / "from-mum.wav").read_bytes()
    from_child = (story.voice_folder / "from-child.m4a").read_bytes()
    assert min(duration_ms(from_mum), duration_ms(from_child)) > 1000
    assert 24_000 <= bits_a_second(from_child) <= 32_000
    assert "<svg" in (story.voice_folder / "waveforms.svg").read_text()
