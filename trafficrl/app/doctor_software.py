"""What a training needs of software: Python, packages, SUMO, torch; and what it may have besides.

Nothing that may be missing or broken is imported here: other processes try that.
"""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from trafficrl.app.doctor_finding import Finding, State
from trafficrl.app.doctor_probes import Probe, python_probe

__all__ = ["examine_software"]

PATIENCE_S = 30.0
"""For what this machine has to load from a disk that may be slow."""
QUEUE_PATIENCE_S = 2.0
"""For the controller of a cluster: it answers at once, or in minutes that it is not there."""
OLDEST_PYTHON = (3, 10)
SUMO_PACKAGES = ("eclipse-sumo", "libsumo", "traci", "sumolib")
OTHER_TRACI = ("LIBSUMO_AS_TRACI", "LIBTRACI_AS_TRACI")
"""With these in the environment `import traci` brings another library."""
SLURM_PROGRAMS = ("sinfo", "sbatch", "squeue", "srun", "scancel")
NOT_FOR_USERS = ("dev", "bench")
REINSTALL = "install trafficrl again: pip install --force-reinstall trafficrl"

PACKAGES = """
import json
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from packaging.requirements import Requirement

def wrong(extra):
    for line in map(Requirement, requires("trafficrl") or []):
        own = not line.marker or line.marker.evaluate({"extra": ""})
        if not own if extra else own:
            if not line.marker or line.marker.evaluate({"extra": extra}):
                try:
                    found = version(line.name)
                except PackageNotFoundError:
                    yield f"{line.name} is missing"
                else:
                    if not line.specifier.contains(found, prereleases=True):
                        yield f"{line.name} is {found}, needed is {line.specifier}"

extras = metadata("trafficrl").get_all("Provides-Extra") or []
print(json.dumps({"": list(wrong("")), **{name: list(wrong(name)) for name in extras}}))
"""
LIBSUMO = """
import json, libsumo
print(json.dumps(libsumo.simulation.getVersion()[1]))
"""
TORCH = """
import json, torch
devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
print(json.dumps({
    "version": torch.__version__,
    "cuda": torch.version.cuda,
    "devices": [torch.cuda.get_device_name(device) for device in devices],
}))
"""
CONF = """
import json
from hydra import compose, initialize_config_dir
from trafficrl.config.load import to_experiment
from trafficrl.config.store import conf_dir, register_configs
register_configs()
with initialize_config_dir(str(conf_dir()), version_base="1.3"):
    to_experiment(compose("train"))
print(json.dumps(str(conf_dir())))
"""
SMI = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
SINFO = ("sinfo", "--noheader", "-o", "%P|%a|%l|%D")


def examine_software() -> Iterator[Finding]:
    """All of it; what takes time has been started before the first is told."""
    home = _sumo_home()
    started = {
        "torch": python_probe(TORCH, patience_s=PATIENCE_S),
        "conf": python_probe(CONF, patience_s=PATIENCE_S),
        "libsumo": python_probe(LIBSUMO, patience_s=PATIENCE_S),
        "packages": python_probe(PACKAGES, patience_s=PATIENCE_S),
        "smi": Probe(SMI, patience_s=PATIENCE_S),
        "sinfo": Probe(SINFO, patience_s=QUEUE_PATIENCE_S),
        **{
            name: Probe([str(home / "bin" / name), "--version"], patience_s=PATIENCE_S)
            for name in ("sumo", "netconvert")
        },
    }
    yield _python()
    yield _packages(started["packages"])
    yield _sumo(started, home)
    yield _torch(started["torch"])
    yield _gpu(started["smi"], started["torch"])
    yield _slurm(started["sinfo"])
    yield _conf(started["conf"])
    yield _extras(started["packages"])


def _python() -> Finding:
    shown = f"{platform.python_version()} in {sys.prefix}"
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return Finding("python", State.failure, shown, f"take Python {oldest} or newer")
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        return Finding(
            "python",
            State.warning,
            f"{shown}; PYTHONDONTWRITEBYTECODE is set: every process compiles all anew",
            "unset PYTHONDONTWRITEBYTECODE",
        )
    return Finding("python", State.ok, shown)


def _packages(probe: Probe) -> Finding:
    wrong = probe.facts()
    if wrong is None:
        return Finding("packages", State.failure, probe.trouble, REINSTALL)
    if wrong[""]:
        return Finding("packages", State.failure, "; ".join(wrong[""]), "pip install trafficrl")
    return Finding("packages", State.ok, "all that trafficrl needs, in versions that it takes")


def _sumo_home() -> Path:
    """Where the package eclipse-sumo has SUMO; nowhere without it."""
    spec = find_spec("sumo")
    return Path(spec.origin).parent if spec is not None and spec.origin else Path("no-sumo")


def _sumo(started: dict[str, Probe], home: Path) -> Finding:
    versions = {name: _version(name) for name in SUMO_PACKAGES}
    facts = {"versions": versions, "home": str(home)}
    wrong, advice = _sumo_trouble(versions, started)
    if wrong:
        return Finding("sumo", State.failure, wrong, advice, facts)
    found = f"{versions['eclipse-sumo']}, all four packages of it; the programs start"
    other = os.environ.get("SUMO_HOME")
    if other and Path(other).resolve() != home.resolve():
        found += f"; SUMO_HOME={other} is another one"
        advice = "trafficrl takes its own; unset SUMO_HOME if your own tools take the other"
        return Finding("sumo", State.warning, found, advice, facts)
    replaced = [name for name in OTHER_TRACI if name in os.environ]
    if replaced:
        found += f"; {replaced[0]} is set"
        advice = f"unset {replaced[0]}: execution.backend=traci cannot work with it"
        return Finding("sumo", State.warning, found, advice, facts)
    return Finding("sumo", State.ok, found, "", facts)


def _sumo_trouble(versions: dict[str, str], started: dict[str, Probe]) -> tuple[str, str]:
    """Why nothing can be simulated, and what to do; empty where all can."""
    absent = [name for name, found in versions.items() if not found]
    if absent:
        return f"missing: {', '.join(absent)}", f"pip install {' '.join(absent)}"
    if len({found.rpartition(".")[0] for found in versions.values()}) > 1:
        told = ", ".join(f"{name} {found}" for name, found in versions.items())
        wanted = f"=={versions['eclipse-sumo']}"
        others = " ".join(f"{name}{wanted}" for name in SUMO_PACKAGES[1:])
        return f"versions differ: {told}", f"pip install {others}"
    for name in ("sumo", "netconvert", "libsumo"):
        started[name].answer()
        if started[name].trouble:
            advice = "pip install --force-reinstall eclipse-sumo libsumo; a library (.so) that is "
            return (
                f"{name} does not start: {started[name].trouble}",
                advice + "missing is the system's",
            )
    return "", ""


def _torch(probe: Probe) -> Finding:
    facts = probe.facts()
    if facts is None:
        advice = "pip install --force-reinstall torch"
        return Finding("torch", State.failure, f"does not start: {probe.trouble}", advice)
    return Finding("torch", State.ok, facts["version"], "", facts)


def _gpu(smi: Probe, torch: Probe) -> Finding:
    cards = [line.strip() for line in smi.answer().splitlines() if line.strip()]
    known = torch.facts() or {"devices": [], "cuda": None, "version": ""}
    facts = {"cards": cards, "devices": known["devices"]}
    if known["devices"]:
        found = f"{', '.join(known['devices'])} (CUDA {known['cuda']})"
        advice = "execution.device=cuda learns there; small networks learn faster without"
        return Finding("gpu", State.ok, found, advice, facts)
    if not cards:
        return Finding("gpu", State.absent, "none: execution.device=cpu, the default", "", facts)
    why = f"torch {known['version']} is built without CUDA"
    advice = "install torch with CUDA (pytorch.org/get-started), or keep execution.device=cpu"
    if known["cuda"]:
        why = f"torch cannot use it with CUDA {known['cuda']}"
        advice = "install a driver for that CUDA, or a torch for this driver"
    return Finding("gpu", State.warning, f"{'; '.join(cards)}: {why}", advice, facts)


def _slurm(probe: Probe) -> Finding:
    missing = [name for name in SLURM_PROGRAMS if shutil.which(name) is None]
    if len(missing) == len(SLURM_PROGRAMS):
        advice = "hydra/launcher=submitit_local runs sweeps on this machine"
        return Finding("slurm", State.absent, "none on this machine", advice)
    if missing:
        advice = "install Slurm's client programs, or load their module"
        return Finding("slurm", State.warning, f"{', '.join(missing)} missing", advice)
    rows = [line.split("|") for line in probe.answer().splitlines() if line.count("|") == 3]
    names = ("name", "state", "time_limit", "nodes")
    facts = {"partitions": [dict(zip(names, row, strict=True)) for row in rows]}
    if probe.trouble or not rows:
        found = f"sinfo: {probe.trouble or 'no partition'}"
        advice = "ask the cluster's administrator whether its controller runs"
        return Finding("slurm", State.warning, found, advice, facts)
    told = [
        f"{name} ({state}, nodes: {nodes}, limit: {limit})" for name, state, limit, nodes in rows
    ]
    advice = "" if shutil.which("sacct") else "without sacct, jobs that died early tell less"
    return Finding("slurm", State.ok, f"partitions: {', '.join(told)}", advice, facts)


def _conf(probe: Probe) -> Finding:
    folder = probe.facts()
    if folder is None:
        return Finding("conf", State.failure, probe.trouble, REINSTALL)
    package = Path(__file__).resolve().parent.parent
    kind = "an installed wheel" if Path(folder).parent == package else "a checkout"
    return Finding("conf", State.ok, f"{folder}, of {kind}", "", {"folder": folder, "of": kind})


def _extras(probe: Probe) -> Finding:
    known = {name: wrong for name, wrong in (probe.facts() or {}).items() if name}
    extras = {name: not wrong for name, wrong in known.items() if name not in NOT_FOR_USERS}
    there = [name for name, installed in extras.items() if installed]
    absent = [name for name, installed in extras.items() if not installed]
    parts = [", ".join(there)] if there else []
    parts += [f"not installed: {', '.join(absent)}"] if absent else []
    advice = f"pip install 'trafficrl[{','.join(absent)}]' brings what you want of them"
    state = State.ok if there or not extras else State.absent
    return Finding("extras", state, "; ".join(parts), advice if absent else "", extras)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
