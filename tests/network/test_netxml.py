from pathlib import Path

import pytest

from trafficrl.errors import NetworkError
from trafficrl.network.model import Network
from trafficrl.network.netxml import ProgramPhase, load_net, save_programs

LANE = '<lane id="e_0" index="0" speed="13.89" length="10" shape="0,0 10,0"/>'
EDGE = f'<edge id="e" from="a" to="b">{LANE}</edge>'
BOMB = """<?xml version="1.0"?>
<!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<net><edge id="&b;"/></net>"""


def refusal(tmp_path: Path, text: str | bytes) -> str:
    file = tmp_path / "bad.net.xml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(NetworkError) as caught:
        load_net(file)
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    return message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is damaged: no element found"),
        (b"\xff\xfe\x00\x81garbage", "is damaged"),
        ("<net>", "is damaged"),
        ("<routes/>", "its root is not <net>"),
        ("<net/>", "it has no edges"),
        (BOMB, "a document type (net) is not allowed"),
        ('<!DOCTYPE net SYSTEM "file:///etc/passwd"><net/>', "document type"),
        ('<net><edge id="e" from="a" to="b"/></net>', "edge 'e' has no lanes"),
        (f'<net><edge id="e" to="b">{LANE}</edge></net>', "it lacks 'from'"),
        (f"<net>{EDGE.replace('13.89', 'fast')}</net>", "'fast'"),
        (f"<net>{EDGE.replace('0,0 10,0', '0')}</net>", "lane 'e_0' has no shape"),
        (f'<net>{EDGE}<connection to="e"/></net>', "it lacks 'from'"),
        (f'<net>{EDGE}<tlLogic id="J"><phase state="G"/></tlLogic></net>', "it lacks 'duration'"),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    assert told in refusal(tmp_path, text)


def test_a_truncated_network_is_told_in_one_line(tmp_path: Path, realistic: Network) -> None:
    content = realistic.net_file.read_bytes()
    assert "is damaged" in refusal(tmp_path, content[: len(content) // 2])


def test_a_link_without_right_of_way_is_told(tmp_path: Path, realistic: Network) -> None:
    text = realistic.net_file.read_text()
    assert 'via=":B1_12_0"' in text
    assert "is damaged" in refusal(tmp_path, text.replace('via=":B1_12_0"', 'via=":B1_99_0"'))


def test_a_missing_file_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="cannot be read: No such file"):
        load_net(tmp_path / "none.net.xml")


def test_a_folder_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="cannot be read"):
        load_net(tmp_path)


def test_insides_of_junctions_are_left_out(realistic: Network) -> None:
    net = load_net(realistic.net_file)
    names = [edge.id for edge in net.edges] + [junction.id for junction in net.junctions]
    assert not any(name.startswith(":") for name in names)
    assert not any(link.from_lane.startswith(":") for link in net.connections)
    assert len(net.edges) == len(set(names)) - len(net.junctions) == 382


def test_right_of_way_belongs_to_its_link(realistic: Network) -> None:
    net = load_net(realistic.net_file)
    by_link = {(c.signal_id, c.link_index): request for c, request in net.requests.items()}
    straight, left = by_link["B1", 1], by_link["B1", 14]
    # From the north straight on, and from the west to the left: B2 -> B0 crosses A1 -> B2.
    assert straight.junction == left.junction == "B1"
    assert straight.foes >> left.index & 1
    assert left.foes >> straight.index & 1
    # Opposite straight ways never meet.
    assert not straight.foes >> by_link["B1", 9].index & 1


def test_only_programs_change_when_they_are_saved(tmp_path: Path, realistic: Network) -> None:
    raw = load_net(realistic.net_file)
    plans = {
        name: (ProgramPhase("all", "g" * len(phases[0].state), 12.5),)
        for name, phases in raw.programs.items()
    }
    save_programs(realistic.net_file, tmp_path / "copy.net.xml", plans)
    saved = load_net(tmp_path / "copy.net.xml")
    assert saved.programs == plans
    assert (saved.junctions, saved.edges, saved.connections, saved.requests) == (
        raw.junctions,
        raw.edges,
        raw.connections,
        raw.requests,
    )
