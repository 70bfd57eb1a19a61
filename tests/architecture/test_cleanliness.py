import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements-dev.lock", "requirements.lock", "docker/load.lock", "docker/server.lock", "docker/build.lock")
# Written so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile("|".join(["/" + "work" + "/", "/" + "root" + "/"]))
REGISTRY = re.compile("index-" + r"url|find-" + r"links|\bhttps?://")


def project_texts() -> dict[str, str]:
    """Every text file that is committed or would be, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in data:
            texts[name] = data.decode("utf-8")
    return texts


def lines_with(pattern: re.Pattern[str], text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def test_no_file_knows_the_machine_on_which_it_was_written():
    found = [f"{name}:{number}" for name, text in project_texts().items() for number in lines_with(MACHINE_PATHS, text)]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_no_registry(lock):
    assert lines_with(REGISTRY, project_texts()[lock]) == []


def test_a_run_its_images_and_the_tests_use_the_same_versions():
    tests, *others = (set(re.findall(r"^[\w.-]+==\S+", project_texts()[lock], re.MULTILINE)) for lock in LOCKS)
    assert [other - tests for other in others] == [set()] * len(others)


def test_what_the_server_needs_alone_is_of_what_all_need():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(project["dependency-groups"]["server"]) <= set(project["project"]["dependencies"])


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE_PATHS, "see " + "/" + "work" + "/main"),
        (MACHINE_PATHS, "/" + "root" + "/.cache"),
        (REGISTRY, "--index-" + "url x"),
        (REGISTRY, "click @ https" + "://example.org/click.whl"),
    ],
)
def test_what_is_looked_for_would_be_found(pattern, line):
    assert lines_with(pattern, f"fine\n{line}\n") == [2]


def test_all_texts_are_utf_8_and_end_with_a_line():
    texts = project_texts()
    assert "pyproject.toml" in texts
    assert [name for name, text in texts.items() if text and not text.endswith("\n")] == []
