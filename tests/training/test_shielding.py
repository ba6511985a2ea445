"""What worker processes are told of the script that this process runs: nothing."""

import subprocess
import sys
from multiprocessing.spawn import get_preparation_data
from pathlib import Path
from types import ModuleType

import pytest

from trafficrl.training.shielding import shielded_children

SCRIPT = """
import multiprocessing

from trafficrl.training.shielding import shielded_children

print("the script runs")
with shielded_children():
    process = multiprocessing.get_context("spawn").Process(target=len, args=("x",))
    process.start()
process.join()
print(process.exitcode)
"""


def test_a_script_without_a_guard_is_not_run_by_its_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("the script runs\n0\n", "")


def told_of_script() -> set[str]:
    return {"init_main_from_name", "init_main_from_path"} & get_preparation_data("a worker").keys()


def test_the_script_is_there_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    main = ModuleType("__main__")  # the test's own process may be without a script
    main.__file__ = "script.py"
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert told_of_script()
    with shielded_children():
        assert not told_of_script()
    with pytest.raises(KeyError), shielded_children():
        raise KeyError("ours")
    assert sys.modules["__main__"] is main
