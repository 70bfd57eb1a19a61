"""The bodies that a scenario describes."""

import email
import json

import pytest

from tests.transfer.lab import a_file
from upswarm.protocols.payloads import Form, Json, Raw, Text
from upswarm.protocols.templates import Template
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.messages import Body

VALUES = {"filename": 'a "b"\r\n.bin', "size": 2500, "uuid": "0000-1", "index": 1}


def template(text):
    return Template.parse(text)


def test_json_has_numbers_where_a_name_stands_alone():
    document = {
        "name": template("{filename}"),
        "size": template("{size}"),
        "list": [template("n{index}"), 1, None, True],
    }
    content_type, body = Json(document).body(VALUES, None)
    assert content_type == "application/json"
    assert json.loads(b"".join(body)) == {"name": VALUES["filename"], "size": 2500, "list": ["n1", 1, None, True]}


def test_a_text_is_utf_8():
    content_type, body = Text(template("größe={size}")).body(VALUES, None)
    assert content_type == "text/plain; charset=utf-8"
    assert b"".join(body) == "größe=2500".encode()
    assert len(body) == len("größe=2500".encode())


def test_a_form_without_a_chunk_is_url_encoded():
    content_type, body = Form({"name": template("{filename}"), "size": template("{size}")}).body(VALUES, None)
    assert content_type == "application/x-www-form-urlencoded"
    assert b"".join(body) == b"name=a+%22b%22%0D%0A.bin&size=2500"


@pytest.fixture
def chunk():
    return Body.of_chunk(a_file(), Chunk(1, 1000, 1000))


def test_a_form_with_a_chunk_is_what_a_mime_parser_takes_apart_again(chunk):
    content_type, body = Form({"index": template("{index}")}, "file").body(VALUES, chunk)
    message = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + b"".join(body))
    index, file = message.get_payload()
    assert index.get_param("name", header="content-disposition") == "index"
    assert index.get_payload() == "1"
    assert file.get_param("name", header="content-disposition") == "file"
    assert file.get_filename() == "a %22b%22%0D%0A.bin"
    assert file.get_content_type() == "application/octet-stream"


def test_a_form_carries_exactly_the_bytes_of_its_chunk_between_head_and_end(chunk):
    _, body = Form({"index": template("{index}")}, "file").body(VALUES, chunk)
    data = b"".join(body)
    assert data.endswith(b"\r\n\r\n" + b"".join(chunk) + b"\r\n--upswarm-0000-1--\r\n")
    assert len(body) == len(data)
    assert b"".join(body) == data


def test_a_chunk_goes_through_a_form_without_being_copied():
    data = bytearray(b"abc")
    view = memoryview(data)
    _, body = Form({}, "file").body(VALUES, Body(3, lambda: iter((view,))))
    assert any(each is view for each in body)


def test_a_raw_chunk_is_itself(chunk):
    assert Raw().body(VALUES, chunk) == ("application/octet-stream", chunk)
