import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trafficrl.errors import RunError
from trafficrl.runs.lock import RunLock

HOLD = """
import sys
from pathlib import Path
from trafficrl.runs.lock import RunLock
with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    file = tmp_path / ".lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    with holder.stdout as output, holder.stdin:
        assert output.readline() == "held\n"
        with (
            pytest.raises(RunError, match="another process works in this folder"),
            RunLock(file),
        ):
            pass
        holder.kill()
        holder.wait()
    with RunLock(file), pytest.raises(RunError), RunLock(file):
        pass
    with RunLock(file):
        pass


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="No such file"), RunLock(tmp_path / "absent" / ".lock"):
        pass


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EACCES])
def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As an NFS or Lustre would that was mounted so: here there is none to try it on."""

    def refuse(*arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refuse)
    open_files = Path("/proc/self/fd")
    before = len(list(open_files.iterdir()))
    with pytest.raises(RunError, match=r"\.lock: cannot be locked: .*: choose a hydra\.run\.dir"):
        RunLock(tmp_path / ".lock").__enter__()
    assert len(list(open_files.iterdir())) == before
