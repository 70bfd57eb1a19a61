"""Templates and extractions: what a scenario writes, and what becomes of it."""

import pytest

from upswarm.protocols.templates import Extraction, Template
from upswarm.transfer.messages import Response

VALUES = {"upload_id": "a/b?c", "index": 7, "url": "https://h/u?x=1"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{index}", "7"),
        ("{{index}}", "{index}"),
        ('{{"index": {index}}}', '{"index": 7}'),
        ("{index}{index}", "77"),
        ("bytes {index}-", "bytes 7-"),
        ("{{{index}}}", "{7}"),
    ],
)
def test_names_in_braces_stand_for_values(text, filled):
    assert Template.parse(text).text(VALUES) == filled


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{", "'{' at character 1"),
        ("}", "'}' at character 1"),
        ("/u/{index", "'{' at character 4"),
        ("/u/index}", "'}' at character 9"),
        ("{}", "'{' at character 1"),
        ("{Index}", "'{' at character 1"),
        ("{index:05}", "'{' at character 1"),
        ("{a.b}", "'{' at character 1"),
    ],
)
def test_a_brace_without_a_partner_is_named_with_its_place(text, where):
    with pytest.raises(ValueError, match="expected a name such as") as raised:
        Template.parse(text)
    assert where in str(raised.value)


def test_a_template_that_is_only_a_name_keeps_a_number_a_number():
    assert Template.parse("{index}").value(VALUES) == 7
    assert Template.parse("{index} ").value(VALUES) == "7 "


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/u/{upload_id}/c/{index}", "/u/a%2Fb%3Fc/c/7"),
        ("/u?id={upload_id}", "/u?id=a%2Fb%3Fc"),
        ("{url}", "https://h/u?x=1"),
        ("{url}&n={upload_id}", "https://h/u?x=1&n=a%2Fb%3Fc"),
    ],
)
def test_in_a_path_a_value_is_data_unless_it_begins_the_path(text, path):
    assert Template.parse(text).path(VALUES) == path


ANSWER = Response(
    200,
    {"location": "/u/1", "etag": '"7"', "empty": ""},
    b'{"id": "u1", "n": 7, "yes": true, "none": null, "part": {"list": [{"id": "x"}]}, "f": 1.5, "line": "a\\nb"}',
    url="https://h/uploads",
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("json:id", "u1"),
        ("json:n", 7),
        ("json:part.list.0.id", "x"),
        ("json:part.list.1.id", None),
        ("json:part.list.id", None),
        ("json:part", None),
        ("json:yes", None),
        ("json:none", None),
        ("json:f", None),
        ("json:line", None),
        ("json:missing", None),
        ("json:id.deeper", None),
        ("header:ETag", '"7"'),
        ("header:Location", "https://h/u/1"),
        ("header:Empty", None),
        ("header:Missing", None),
        (r'regex:"id": "(\w+)"', "u1"),
        ("regex:nothing(x)", None),
    ],
)
def test_an_extraction_finds_a_text_or_a_number_or_nothing(text, value):
    found = Extraction.parse(text).value(ANSWER)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff", b"[" * 100_000, b"7"])
def test_a_body_that_is_no_document_has_nothing_in_it(body):
    assert Extraction.parse("json:id").value(Response(200, {}, body)) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id", "expected json:path.of.keys, header:Name or regex:expression, found 'id'"),
        ("json:", "expected json:path.of.keys"),
        ("xml:id", "expected json:path.of.keys"),
        ("regex:id", "expected a regular expression with one group in parentheses, found 'id'"),
        ("regex:(a)(b)", "with one group"),
        ("regex:(", "expected a regular expression, found '('"),
    ],
)
def test_an_extraction_of_another_form_is_explained(text, message):
    with pytest.raises(ValueError, match="expected") as raised:
        Extraction.parse(text)
    assert message in str(raised.value)
