"""A drawing that becomes inline SVG. Elements are a tree, so whatever text comes in is escaped on its way out.

Colours, fonts and strokes are classes; the page's style sheet knows them, so a drawing is right in light, in dark and
in print.
"""

from __future__ import annotations

from xml.etree import ElementTree


class Drawing:
    """A picture of so many pixels; `label` says in words what it shows, for those who do not see it."""

    def __init__(self, width: float, height: float, label: str) -> None:
        box = f"0 0 {_number(width)} {_number(height)}"
        self._root = ElementTree.Element("svg", {"viewBox": box, "role": "img", "aria-label": label})
        self.width = width
        self.height = height

    def line(self, kind: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A straight line."""
        self._add("line", kind, x1=start[0], y1=start[1], x2=end[0], y2=end[1])

    def rect(self, kind: str, corner: tuple[float, float], size: tuple[float, float], title: str = "") -> None:
        """A rectangle from its upper left corner; a pointer that rests on it is shown the title."""
        self._add("rect", kind, title=title, x=corner[0], y=corner[1], width=size[0], height=size[1])

    def dot(self, kind: str, centre: tuple[float, float], radius: float, title: str = "") -> None:
        """A disc."""
        self._add("circle", kind, title=title, cx=centre[0], cy=centre[1], r=radius)

    def path(self, kind: str, steps: str) -> None:
        """A path in SVG's own words."""
        self._add("path", kind, d=steps)

    def text(self, kind: str, at: tuple[float, float], text: str, *, anchor: str = "start") -> None:
        """A text that begins, has its middle, or ends at a point of its base line."""
        self._add("text", kind, x=at[0], y=at[1], **{"text-anchor": anchor}).text = text

    def __str__(self) -> str:
        return ElementTree.tostring(self._root, encoding="unicode")

    def _add(self, tag: str, kind: str, *, title: str = "", **attributes: float | str) -> ElementTree.Element:
        texts = {name: value if isinstance(value, str) else _number(value) for name, value in attributes.items()}
        element = ElementTree.SubElement(self._root, tag, {"class": kind, **texts})
        if title:
            ElementTree.SubElement(element, "title").text = title
        return element


def point(x: float, y: float) -> str:
    """A point in a path."""
    return f"{_number(x)},{_number(y)}"


def _number(value: float) -> str:
    """Tenths of a pixel are as fine as an eye is."""
    return f"{value:.1f}".removesuffix(".0")
