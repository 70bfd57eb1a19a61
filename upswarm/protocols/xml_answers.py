"""Answers in XML, as object stores give them, and the errors in them: `<Error><Code>…`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from upswarm.protocols.answers import fault, kind_of
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Response

_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def expect(status: int, answer: Response, kinds: Mapping[str, Failure]) -> Element:
    """The document of a success, empty where there is none; raises `Fault` for another status.

    `kinds` are the meanings of the error codes that a status alone does not tell. A store that found out too late
    that it can't do what it was asked to says so under a 200, so an `<Error>` is one whatever the status.
    """
    document = _document(answer)
    if answer.status == status and not _is_error(document):
        return document
    code = error_code(answer)
    if code:
        raise fault(answer, code, kinds.get(code) or (kind_of(answer) if answer.status >= 400 else Failure.REJECTED))
    raise fault(answer, f"expected status {status}", kind_of(answer))


def error_code(answer: Response) -> str:
    """The store's own word for what went wrong, or an empty text."""
    document = _document(answer)
    code = document.findtext("{*}Code") if _is_error(document) else None
    return (code or answer.headers.get("x-ms-error-code", "")).strip()


def text(answer: Response, element: Element, name: str) -> str:
    """What stands in a child; raises `Fault` where that is nothing."""
    found = (element.findtext(f"{{*}}{name}") or "").strip()
    if not found:
        raise fault(answer, f"without a usable {name!r}", Failure.BROKEN)
    return found


def number(answer: Response, element: Element, name: str) -> int:
    """The number in a child; raises `Fault` where there is none."""
    found = text(answer, element, name)
    if _NUMBER.fullmatch(found) is None:
        raise fault(answer, f"without a usable {name!r}", Failure.BROKEN)
    return int(found)


def _is_error(document: Element) -> bool:
    return document.tag.rpartition("}")[2] == "Error"


def _document(answer: Response) -> Element:
    """The XML in the body, or an empty element; S3 sends blanks before it, to keep clients patient."""
    try:
        return ElementTree.fromstring(answer.body.strip())
    except (ElementTree.ParseError, ValueError, LookupError):  # the last two: encodings that nobody can read
        return Element("")
