"""`content:` in a scenario: names, parameters, and what is said of wrong ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from upswarm import plugins
from upswarm.errors import Finding, ScenarioError
from upswarm.scenario.contents import ContentRoom
from upswarm.scenario.loader import load, parse, resolve
from upswarm.workload.mix import ContentSpec

PLUGIN = '''
class Pictures:
    """A content of somebody else's."""

    def __init__(self, scratch, *, width, colours="many"):
        if width < 1:
            raise ValueError(f"expected a width of at least 1, found {width}")


class Anything:
    def __init__(self, scratch, **parameters):
        pass
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "my_contents.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    monkeypatch.delitem(__import__("sys").modules, "my_contents", raising=False)


def spec(content: str, source: str = "s.yaml") -> ContentSpec:
    scenario = parse(f"files:\n  - {{size: 1MiB, content: {content}}}", source, {})
    again = resolve(json.loads(json.dumps(scenario.resolved(reveal_secrets=True))))
    assert again.build_mix().draw(0) == scenario.build_mix().draw(0)
    return scenario.build_mix().draw(0).content


def findings(content: str) -> list[Finding]:
    with pytest.raises(ScenarioError) as caught:
        parse(f"files:\n  - {{size: 1MiB, content: {content}}}", "s.yaml", {})
    return caught.value.findings


@pytest.mark.parametrize(
    ("content", "name", "parameters"),
    [
        ("sparse", "sparse", {}),
        ("random", "random", {}),
        ("{random: {}}", "random", {}),
        ("{compressible: {ratio: 3}}", "compressible", {"ratio": 3.0}),
        ("{compressible: 2.5}", "compressible", {"ratio": 2.5}),
        ("{dedup: {ratio: 4, block: 64KiB}}", "dedup", {"ratio": 4.0, "block_bytes": 65536}),
        ("'upswarm.content.random:Random'", "upswarm.content.random:Random", {}),
    ],
)
def test_a_content_reaches_the_workers_with_its_parameters(content: str, name: str, parameters: dict[str, Any]) -> None:
    found = spec(content)
    assert (found.name, found.parameters) == (name, parameters)
    plugins.find("content", found.name)(Path(), **found.parameters).open("a", 10, 1).close()


def test_sparse_is_what_nothing_says_otherwise() -> None:
    assert parse("files: [1MiB]", "s.yaml", {}).build_mix().draw(0).content == ContentSpec("sparse")


def test_every_content_of_ours_is_documented_as_a_key() -> None:
    assert set(plugins._BUILT_IN["content"]) == set(ContentRoom.model_fields)


def test_a_plugin_may_have_any_parameters(plugin: None) -> None:
    assert spec("{'my_contents:Pictures': {width: 3}}").parameters == {"width": 3}
    deep = {"list": [1, {"a": None}], "text": "b"}
    assert spec(f"{{'my_contents:Anything': {json.dumps(deep)}}}").parameters == deep


def test_the_written_scenario_is_as_short_as_it_can_be() -> None:
    text = (
        "files: [1MiB, {size: 1MiB, content: {random: {}}}, {size: 1MiB, content: {dedup: {ratio: 4, block: 64KiB}}}]"
    )
    written = [each["content"] for each in parse(text, "s.yaml", {}).resolved()["files"]]
    assert written == ["sparse", "random", {"dedup": {"ratio": 4.0, "block": "64KiB"}}]


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (
            "sparce",
            "content",
            "expected a content (compressible, corpus, dedup, random, sparse, or module:attribute), found 'sparce'",
        ),
        ("{random: {seed: 3}}", "content.random.seed", "is no key of files[0].content.random; expected none"),
        ("{compressible: {ratio: 0.5}}", "content.compressible.ratio", "expected at least 1, found 0.5"),
        ("{compressible: {ratio: 101}}", "content.compressible.ratio", "expected at most 100, found 101"),
        ("{compressible: {ratio: .nan}}", "content.compressible.ratio", "expected a finite number, found nan"),
        ("{compressible: 0}", "content.compressible", "expected at least 1, found 0"),
        ("compressible", "content.compressible.ratio", "is missing, but needed"),
        ("{dedup: {ratio: 4}}", "content.dedup.block", "is missing, but needed"),
        ("{dedup: {ratio: 0, block: 4KiB}}", "content.dedup.ratio", "expected at least 1, found 0"),
        ("{dedup: {ratio: 4, block: 100B}}", "content.dedup.block", "expected at least 512B, found 100B"),
        ("{random: 3}", "content.random", "expected a mapping, found 3"),
        ("{random: {}, sparse: {}}", "content", "expected exactly one content, found sparse and random"),
        ("{}", "content", "expected exactly one content, found none"),
        ("3", "content", "expected a mapping, found 3"),
        ("{'my_contents:Pictures': 3}", "content.my_contents:Pictures", "expected a mapping, found 3"),
        ("{'my_contents:Pictures': {}}", "content", "expected the parameter width of my_contents:Pictures, found none"),
        (
            "{'my_contents:Pictures': {width: 1, colour: few}}",
            "content",
            "colour is no parameter of my_contents:Pictures; expected one of width, colours",
        ),
        (
            "{'my_contents:Pictures': {width: 0}}",
            "content",
            "is refused by my_contents:Pictures: expected a width of at least 1, found 0",
        ),
    ],
)
def test_a_mistake_says_where_it_is_and_what_was_expected(plugin: None, content: str, place: str, message: str) -> None:
    (found,) = findings(content)
    assert (found.key, found.message) == (f"files[0].{place}", message)
    assert found.line == 2
    assert found.column > 15


def test_the_nearest_right_word_is_offered(plugin: None) -> None:
    assert findings("{compressible: {ratio: 2, rato: 3}}")[0].hint == 'did you mean "ratio"?'
    assert findings("{sparce: {}}")[0].hint == 'did you mean "sparse"?'
    assert findings("{'my_contents:Pictures': {width: 1, colour: few}}")[0].hint == 'did you mean "colours"?'


def test_all_mistakes_are_named_at_once() -> None:
    assert [(each.key, each.column) for each in findings("{dedup: {ratio: 0, block: 1B}}")] == [
        ("files[0].content.dedup.ratio", 43),
        ("files[0].content.dedup.block", 53),
    ]


def test_the_documented_contents_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("samples", "disks", "mycompany"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one").write_bytes(b"1")
    (tmp_path / "mycompany" / "files.py").write_text("def DiskImages(scratch, tracks): pass")
    monkeypatch.syspath_prepend(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "contents.md").read_text()
    scenario = parse(page.split("```yaml\n")[1].split("```")[0], str(tmp_path / "s.yaml"), {})
    assert {each.content.name for each in scenario.build_mix().classes} == {
        *ContentRoom.model_fields,
        "mycompany.files:DiskImages",
    }


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    folder.mkdir()
    for name, size_bytes in (("a", 10), ("b", 20), ("c", 20)):
        (folder / name).write_bytes(b"x" * size_bytes)
    return folder


@pytest.mark.parametrize("content", ["{corpus: {path: ./samples}}", "{corpus: samples}"])
def test_the_path_of_a_corpus_is_relative_to_the_scenario(corpus: Path, content: str) -> None:
    path = corpus.parent / "s.yaml"
    path.write_text(f"files: [{{size: 1KiB, content: {content}}}]")
    assert load(path).build_mix().draw(0).content == ContentSpec("corpus", {"path": str(corpus)})


def test_without_a_size_the_files_of_a_corpus_have_their_own(corpus: Path) -> None:
    scenario = parse("files: [{content: {corpus: samples}}]", str(corpus.parent / "s.yaml"), {})
    mix = scenario.build_mix()
    content = plugins.find("content", "corpus")(Path(), **mix.draw(0).content.parameters)
    files = [content.open("a", draw.size_bytes, draw.seed) for draw in map(mix.draw, range(60))]
    assert {file.size_bytes for file in files} == {10, 20}
    assert mix.mean_bytes == pytest.approx(50 / 3)
    assert resolve(scenario.resolved()).build_mix().draw(3) == mix.draw(3)


def test_a_path_that_is_not_there_is_a_mistake_at_its_place(tmp_path: Path) -> None:
    (found,) = findings(f"{{corpus: {{path: {tmp_path}/none}}}}")
    assert (found.key, found.line, found.column) == ("files[0].content.corpus.path", 2, 43)
    assert found.message == f"expected a file or a folder at {tmp_path}/none, found nothing"


def test_a_home_that_nobody_has_is_a_mistake_too() -> None:
    (found,) = findings("{corpus: ~no-such-user/samples}")
    assert found.key == "files[0].content.corpus"
    assert "home" in found.message


def test_an_empty_folder_is_a_mistake_too(tmp_path: Path) -> None:
    (found,) = findings(f"{{corpus: {tmp_path}}}")
    assert found.message == f"expected at least one file with bytes in it at {tmp_path}, found none"


def test_a_size_is_needed_for_everything_else() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse("files: [{content: random}]", "s.yaml", {})
    (found,) = caught.value.findings
    assert (found.key, found.message) == ("files[0].size", "is missing, but needed")
