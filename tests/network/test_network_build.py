import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import sumo
from grid_cases import REALISTIC, small_grid

from trafficrl.config.network import GridConfig, NetworkConfig, SignalsConfig
from trafficrl.errors import NetworkError
from trafficrl.network import netconvert
from trafficrl.network.build import (
    NET_FILE,
    SIDECAR_FILE,
    build_network,
    load_network,
    save_network,
)
from trafficrl.network.model import Network

SCRIPT = """
import sys
from pathlib import Path
from grid_cases import small_grid
from trafficrl.network.build import build_network
print(build_network(small_grid(lane_count="random"), Path(sys.argv[1])).hash)
"""


def start_build(cache: Path, *, hash_seed: int) -> "subprocess.Popen[str]":
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    command = [sys.executable, "-c", SCRIPT, str(cache)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def result(process: "subprocess.Popen[str]") -> str:
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return printed.strip()


def files_of(cache: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in cache.rglob("*") if file.is_file()}


def processor_time_s(config: GridConfig, cache: Path) -> float:
    """Not the clock's: other work on the machine does not count."""
    before = os.times()
    build_network(config, cache)
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def test_the_published_city_is_built_in_two_seconds(tmp_path: Path) -> None:
    assert processor_time_s(REALISTIC, tmp_path) < 2.0


@pytest.mark.slow
def test_a_city_of_400_signals_is_built_in_thirty_seconds(tmp_path: Path) -> None:
    assert processor_time_s(small_grid(grid_dimension=20, block_size_m=280), tmp_path) < 30.0


def test_many_processes_build_one_network(tmp_path: Path) -> None:
    processes = [start_build(tmp_path / "cache", hash_seed=seed) for seed in (1, 2, 3)]
    apart = start_build(tmp_path / "apart", hash_seed=4)
    hashes = [result(process) for process in [*processes, apart]]
    assert len(set(hashes)) == 1
    # Byte for byte the same, whatever order the sets of a process have, and nothing left over.
    together = files_of(tmp_path / "cache")
    assert together.keys() == {NET_FILE, SIDECAR_FILE}
    assert together == files_of(tmp_path / "apart")
    assert len(list((tmp_path / "cache" / "networks").iterdir())) == 1


def test_the_file_tells_neither_date_nor_place(realistic: Network) -> None:
    text = realistic.net_file.read_text()
    assert "<!--" not in text
    assert str(realistic.net_file.parent) not in text


def test_a_known_network_is_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_network(small_grid(), tmp_path)
    monkeypatch.setattr(sumo, "SUMO_HOME", str(tmp_path / "nowhere"))
    assert build_network(small_grid(), tmp_path) == first
    # Equal values are the same configuration, whether they came as 200 or as 200.0.
    assert build_network(small_grid(block_size_m=200.0), tmp_path) == first
    with pytest.raises(NetworkError, match="netconvert"):
        build_network(small_grid(network_seed=8), tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"network_seed": 8},
        {"block_size_m": 210},
        {"signals": SignalsConfig(yellow_s=4.0)},
        {"step_length": 0.5},
        {"land_use_block_size_m": 20.0},
    ],
)
def test_other_values_give_another_network(cache_dir: Path, changes: dict[str, object]) -> None:
    other = build_network(small_grid(**changes), cache_dir)
    assert other.net_file != build_network(small_grid(), cache_dir).net_file


@pytest.mark.parametrize("name", [NET_FILE, SIDECAR_FILE])
@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_a_damaged_entry_is_built_again(
    tmp_path: Path, name: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = build_network(small_grid(), tmp_path)
    file = first.net_file.with_name(name)
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif name == NET_FILE:
        file.write_bytes(content.replace(b"13.89", b"99.99"))
    else:
        file.write_bytes(content.replace(b'"streets"', b'"roads"'))
    assert build_network(small_grid(), tmp_path) == first
    assert file.read_bytes() == content
    assert "building a damaged network" in caplog.text


def test_an_unwritable_cache_is_told(tmp_path: Path) -> None:
    (tmp_path / "networks").write_text("in the way")
    with pytest.raises(NetworkError, match="cannot be written") as caught:
        build_network(small_grid(), tmp_path)
    assert "\n" not in str(caught.value)


def test_a_failing_netconvert_is_told_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "city.nod.xml"
    broken.write_text("<nodes><node")
    with pytest.raises(NetworkError, match="netconvert failed with exit code 1: Error: ") as caught:
        netconvert.run_netconvert({"node-files": broken}, tmp_path / "out.net.xml", ())
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.net.xml").exists()


def test_an_unknown_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"network.kind: unknown 'gird' .*'grid'"):
        build_network(NetworkConfig(kind="gird"), tmp_path)


def test_a_saved_network_is_the_same(tmp_path: Path, realistic: Network) -> None:
    saved = save_network(realistic, tmp_path / "run" / "network")
    assert saved == load_network(tmp_path / "run" / "network")
    assert saved.net_file == tmp_path / "run" / "network" / NET_FILE
    assert files_of(tmp_path) == files_of(realistic.net_file.parent)
    assert (saved.signals, saved.streets, saved.hash) == (
        realistic.signals,
        realistic.streets,
        realistic.hash,
    )


def test_a_network_that_cannot_be_saved_is_told(tmp_path: Path, realistic: Network) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NetworkError, match="cannot be saved"):
        save_network(realistic, tmp_path / "file" / "network")


def test_a_changed_net_file_does_not_load(tmp_path: Path, realistic: Network) -> None:
    saved = save_network(realistic, tmp_path)
    saved.net_file.write_text(saved.net_file.read_text().replace("13.89", "27.78"))
    with pytest.raises(NetworkError, match=r"is not the one that network\.json belongs to"):
        load_network(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is damaged"),
        ("[]", "is damaged"),
        ("null", "is damaged"),
        ('{"format": 99}', "has format 99, not 3"),
        ('{"format": 3}', "is damaged: 'clearance'"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_sidecar_is_told_in_one_line(
    tmp_path: Path, realistic: Network, text: str | None, told: str
) -> None:
    save_network(realistic, tmp_path)
    (tmp_path / SIDECAR_FILE).unlink()
    if text is not None:
        (tmp_path / SIDECAR_FILE).write_text(text)
    with pytest.raises(NetworkError, match=told) as caught:
        load_network(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_signal_missing_from_the_programs_is_told(tmp_path: Path, realistic: Network) -> None:
    saved = save_network(realistic, tmp_path)
    text = saved.net_file.read_text().replace('<tlLogic id="B1"', '<tlLogic id="Z9"')
    saved.net_file.write_text(text)
    sidecar = json.loads((tmp_path / SIDECAR_FILE).read_text())
    sidecar["net_hash"] = sha256(text.encode()).hexdigest()
    (tmp_path / SIDECAR_FILE).write_text(json.dumps(sidecar))
    with pytest.raises(NetworkError, match="signal 'B1' has links but no plan"):
        load_network(tmp_path)
