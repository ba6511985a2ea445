"""Programs of signals as SUMO's additional file."""

from pathlib import Path
from xml.etree import ElementTree

import traffic_cases as cases

from trafficrl.network.phase_plans import build_program
from trafficrl.network.programs import (
    SignalProgram,
    fixed_program,
    responsive_program,
    save_signal_programs,
)

SIGNAL = next(signal for signal in cases.city().signals if len(signal.phases) == 3)


def saved(program: SignalProgram, folder: Path) -> ElementTree.Element:
    file = folder / "programs.add.xml"
    save_signal_programs([program], file, begin_s=1000.0)
    (logic,) = ElementTree.parse(file).getroot()  # noqa: S314 - written a line before
    return logic


def test_a_fixed_program_keeps_clearances_and_gives_the_greens(tmp_path: Path) -> None:
    program = fixed_program(SIGNAL, [20.0, 10.0, 7.5], offset_s=12.0)
    plan = build_program(SIGNAL)
    assert [part.state for part in program.phases] == [part.state for part in plan]
    assert [part.duration_s for part in program.phases] == [20, 3, 2, 10, 3, 2, 7.5, 3, 2]
    logic = saved(program, tmp_path)
    assert logic.attrib == {
        "id": SIGNAL.id,
        "type": "static",
        "programID": "trafficrl",
        "offset": "1012",
    }
    assert [phase.attrib["duration"] for phase in logic] == [
        "20",
        "3",
        "2",
        "10",
        "3",
        "2",
        "7.5",
        "3",
        "2",
    ]
    assert [phase.attrib["state"] for phase in logic] == [part.state for part in plan]
    assert all("minDur" not in phase.attrib for phase in logic)


def test_only_greens_of_a_responsive_program_vary(tmp_path: Path) -> None:
    program = responsive_program(
        SIGNAL, "actuated", max_green_s=30.0, parameters={"max-gap": 2.5, "detector-gap": 1}
    )
    logic = saved(program, tmp_path)
    assert logic.attrib["type"] == "actuated"
    found = {param.attrib["key"]: param.attrib["value"] for param in logic.iterfind("param")}
    assert found == {"max-gap": "2.5", "detector-gap": "1"}
    ranges = [(p.get("minDur"), p.get("maxDur")) for p in logic.iterfind("phase")]
    assert ranges == [("5", "30"), (None, None), (None, None)] * 3
    assert [float(p.attrib["duration"]) for p in logic.iterfind("phase")][1:3] == [3, 2]
