"""scripts/quotes: the back-test for those who have a log, and no Home Assistant."""

import json
from pathlib import Path
import subprocess
import sys

import pytest

from custom_components.lrs_pager.sessions.backtest import back_test, read_line
from tests.simulator.restaurant import Restaurant, lines, log

SCRIPT = Path(__file__).parents[1] / "scripts" / "quotes"


def run(*arguments: str | Path, told: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run it without what is installed beside Python, as it needs nothing of that."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-I", "-S", SCRIPT, *arguments],
        input=told,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def visits() -> list[str]:
    return list(lines(log(Restaurant(), 10, 1)))


@pytest.fixture
def file(tmp_path: Path, visits: list[str]) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(visits), encoding="utf-8")
    return path


def test_it_prints_one_object_of_what_the_back_test_found(file: Path, visits: list[str]) -> None:
    ended = run(file, "--warm-up", "5", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = json.loads(ended.stdout)
    waits = [wait for number, line in enumerate(visits) if (wait := read_line(line, number))]
    assert found == back_test(waits, 5).as_dict()
    assert found["n"] > 100
    assert 0 < found["mae"] < 20
    assert 60 < found["kept"] <= 100
    for baseline in found["baselines"].values():
        assert baseline["mae"] > found["mae"]
        assert 0 < baseline["kept"] < 100
    assert set(found["by_class"]) == {"1-2", "3-4", "5+"}
    assert run(file, "--json", "--warm-up=9").stdout != ended.stdout


def test_it_prints_tables_for_people(file: Path) -> None:
    ended = run("--warm-up", "5", file)
    assert (ended.returncode, ended.stderr) == (0, "")
    titles = [line for line in ended.stdout.splitlines() if line and line[0] != " "]
    assert titles[:4] == ["all", "party size 1-2", "party size 3-4", "party size 5+"]
    assert {"parties ahead 0-2", "parties ahead 3-7", "parties ahead 8+"} < set(titles)
    assert {"week from 2026-01-05", "week from 2026-01-12"} < set(titles)
    rows = [line.split() for line in ended.stdout.splitlines() if line.startswith("  ")]
    assert rows[0][:3] == ["minutes", "n", "MAE"]
    ours, goal = rows[1], rows[2]
    assert (ours[0], goal[0], goal[-1]) == ("ours", "default_goal", "15.0")
    assert float(ours[2]) < float(goal[2])


def test_lines_that_can_not_be_read_are_told_of_and_passed_over(
    file: Path, visits: list[str]
) -> None:
    expected = run(file, "--warm-up=5", "--json").stdout
    broken = [visits[0], "{", "", '{"created": "2026-01-05T17:00:00"}', *visits[1:]]
    ended = run("-", "--warm-up=5", "--json", told="\n".join(broken))
    assert ended.returncode == 0
    assert ended.stdout == expected
    assert ended.stderr.startswith("Lines that could not be read: 2. First, line 2: ")


def test_a_file_without_a_session_is_an_error(tmp_path: Path) -> None:
    ended = run("-", "--json", told="no\nJSON\n")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "no session" in ended.stderr
    no_text = tmp_path / "picture"
    no_text.write_bytes(b"\xff\xfe\x00")
    for path in (no_text, tmp_path / "missing"):
        ended = run(path)
        assert ended.returncode == 2
        assert path.name in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_log_that_is_shorter_than_the_warm_up_says_so(file: Path) -> None:
    ended = run(file)
    assert ended.returncode == 0
    assert "28 days" in ended.stdout
    assert json.loads(run(file, "--json").stdout)["n"] == 0
