import sys
from importlib.metadata import EntryPoint

import pytest

from upswarm import plugins
from upswarm.content.random import Random
from upswarm.content.sparse import Sparse
from upswarm.errors import PluginError
from upswarm.protocols.azure import Azure
from upswarm.protocols.chunked import Chunked
from upswarm.protocols.gcs import Gcs
from upswarm.protocols.oci import Oci
from upswarm.protocols.put import Put
from upswarm.protocols.rufh import Rufh
from upswarm.protocols.s3 import S3
from upswarm.protocols.tus import Tus
from upswarm.transfer.transport_requests import RequestsTransport
from upswarm.transfer.transport_socket import SocketTransport


@pytest.mark.parametrize(
    ("kind", "name", "what"),
    [
        ("protocol", "azure", Azure),
        ("protocol", "chunked", Chunked),
        ("protocol", "gcs", Gcs),
        ("protocol", "oci", Oci),
        ("protocol", "put", Put),
        ("protocol", "rufh", Rufh),
        ("protocol", "s3", S3),
        ("protocol", "tus", Tus),
        ("content", "sparse", Sparse),
        ("content", "random", Random),
        ("transport", "requests", RequestsTransport),
        ("transport", "socket", SocketTransport),
    ],
)
def test_a_name_of_ours_answers_with_its_class(kind, name, what):
    assert plugins.find(kind, name) is what
    assert name in plugins.names(kind)


@pytest.fixture
def installed(monkeypatch):
    """Entry points as an installed package would bring them."""

    def install(*entries):
        def entry_points(*, group, name=None):
            return [entry for entry in entries if entry.group == group and name in (None, entry.name)]

        monkeypatch.setattr(plugins, "entry_points", entry_points)

    return install


def test_an_entry_point_widens_the_names(installed):
    before = plugins.names("protocol")
    installed(EntryPoint("pigeon", "decimal:Decimal", "upswarm.protocol"))
    assert plugins.names("protocol") == sorted([*before, "pigeon"])
    assert plugins.find("protocol", "pigeon").__name__ == "Decimal"


def test_an_entry_point_of_another_kind_does_not_answer(installed):
    installed(EntryPoint("pigeon", "decimal:Decimal", "upswarm.content"))
    with pytest.raises(PluginError):
        plugins.find("protocol", "pigeon")


def test_a_name_of_ours_cannot_be_taken_by_a_package(installed):
    installed(EntryPoint("chunked", "decimal:Decimal", "upswarm.protocol"))
    assert plugins.find("protocol", "chunked") is Chunked


def test_an_entry_point_may_lead_into_a_class(installed):
    installed(EntryPoint("pigeon", "datetime:datetime.now", "upswarm.protocol"))
    assert callable(plugins.find("protocol", "pigeon"))


def test_module_and_attribute_stand_where_a_name_would(tmp_path, monkeypatch):
    (tmp_path / "my_own_dialect.py").write_text("class Mine:\n    class Inner: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert plugins.find("protocol", "my_own_dialect:Mine").__name__ == "Mine"
    assert plugins.find("protocol", "my_own_dialect:Mine.Inner").__name__ == "Inner"
    monkeypatch.delitem(sys.modules, "my_own_dialect")


def test_an_unknown_name_comes_with_the_known_ones_and_the_nearest():
    with pytest.raises(PluginError) as raised:
        plugins.find("content", "spares")
    known = "compressible, corpus, dedup, random, sparse"
    assert raised.value.message == f"expected a content ({known}, or module:attribute), found 'spares'"
    assert raised.value.hint == 'did you mean "sparse"?'


@pytest.mark.parametrize(
    "name",
    ["no_such_module:Thing", "decimal:NoSuchThing", "decimal:", ":Decimal", ".relative:Thing", "a..b:Thing", ":"],
)
def test_what_cannot_be_loaded_is_a_plugin_error_that_says_so(name):
    with pytest.raises(PluginError, match=r"can't be loaded from .*\n  check that its package is installed"):
        plugins.find("protocol", name)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("chunk_sizes", 'did you mean "chunk_size"?'),
        ("", ""),
        ("zzz", ""),
        ("chunk_size", 'did you mean "chunk_size"?'),
    ],
)
def test_the_nearest_word(word, hint):
    assert plugins.did_you_mean(word, ["digest", "chunk_size"]) == hint


def test_a_name_with_a_parameter_may_be_misspelt_too() -> None:
    with pytest.raises(PluginError) as raised:
        plugins.find("content", "compressble:3")
    assert raised.value.hint == 'did you mean "compressible"?'
