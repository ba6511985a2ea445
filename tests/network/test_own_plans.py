"""What of somebody else's signal plan are greens to choose among."""

import pytest

from trafficrl.network.model import Network
from trafficrl.network.netxml import ProgramPhase, load_net
from trafficrl.network.own_plans import greens_of_plan


def greens(*parts: str) -> list[tuple[str, float]]:
    """State and seconds of each green of a plan, whose parts are written `STATE:SECONDS`."""
    plan = [ProgramPhase("", *convert(part)) for part in parts]
    return [(phase.state, phase.duration_s) for phase in greens_of_plan(plan)]


def convert(part: str) -> tuple[str, float]:
    state, seconds = part.split(":")
    return state, float(seconds)


@pytest.mark.parametrize(
    ("plan", "found"),
    [
        (["Gr:30", "yr:3", "rG:20", "ry:3"], ["Gr", "rG"]),
        (["Gr:30", "Yr:3", "rr:2", "ru:1", "rG:20", "rY:3", "rr:2"], ["Gr", "rG"]),
        # A link that is green before and after stays green through yellow and all-red.
        (["GGr:30", "yGr:3", "rGr:2", "rGG:20", "rGy:3", "rGr:2"], ["GGr", "rGG"]),
        # As short, but it releases a left turn that waited before: a green.
        (["GGgr:30", "yygr:3", "rrGr:4", "rryr:3", "rrrG:20", "rrry:3"], ["GGgr", "rrGr", "rrrG"]),
        # The same links, but long: a green of its own.
        (["GGr:30", "yGr:3", "rGr:12", "rGG:20", "rGy:3"], ["GGr", "rGr", "rGG"]),
        # A short green after a green, without a yellow between: a green of its own.
        (["GGr:30", "Grr:4", "yrr:3", "rrG:20", "rry:3"], ["GGr", "Grr", "rrG"]),
        # Nothing else is green in the cycle: what is short and follows a yellow is still a green.
        (["yr:3", "Gr:4", "yr:3", "Gr:4"], ["Gr"]),
        # Without any clearance.
        (["Gr:30", "rG:20"], ["Gr", "rG"]),
        # Right turns that may go after a stop (s) and a part that comes first in the file.
        (["yrs:3", "rrs:2", "rGG:20", "ryy:3", "Grs:30"], ["rGG", "Grs"]),
        (["rr:90"], []),
        (["Gr:40", "yr:5", "rr:10"], ["Gr"]),
    ],
)
def test_greens_are_told_from_clearance(plan: list[str], found: list[str]) -> None:
    assert [state for state, _ in greens(*plan)] == found


def test_a_green_that_comes_twice_is_one_phase() -> None:
    plan = ("Gr:30", "yr:3", "rG:20", "ry:3", "Gr:10", "yr:3", "rG:25", "ry:3")
    assert greens(*plan) == [("Gr", 40.0), ("rG", 45.0)]


def test_the_greens_of_a_generated_plan_are_found(city: Network) -> None:
    programs = load_net(city.net_file).programs
    for signal in city.signals:
        found = greens_of_plan(programs[signal.id])
        assert [(phase.state, phase.duration_s) for phase in found] == [
            (phase.state, phase.duration_s) for phase in signal.phases
        ]
