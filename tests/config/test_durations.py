import pytest

from trafficrl.config.durations import parse_duration_s
from trafficrl.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "duration_s"),
    [
        ("90", 90.0),
        ("0.5", 0.5),
        ("0:00:30", 30.0),
        ("2:00:00", 7200.0),
        ("36:30:15", 131_415.0),
        ("1-12:00:00", 129_600.0),
        (" 7200 ", 7200.0),
    ],
)
def test_times_are_read_as_slurm_writes_them(text: str, duration_s: float) -> None:
    assert parse_duration_s("execution.time_limit", text) == duration_s


@pytest.mark.parametrize("text", ["", "2h", "2:00", "-5", "1-00", "1:2:3:4", "0", "0:00:00", "nan"])
def test_anything_else_is_refused_with_its_key(text: str) -> None:
    with pytest.raises(ConfigError, match=r"execution\.time_limit") as caught:
        parse_duration_s("execution.time_limit", text)
    assert "\n" not in str(caught.value)
