"""A page, taken apart more strictly than a browser would."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input", "base", "embed", "source", "track", "wbr", "area", "col"}


class Page(HTMLParser):
    """Its elements as (tag, attributes, what it stands in), and its texts with what they stand in, as `tag.classes`.

    An end tag that doesn't fit its start tag is an error, where a browser would guess.
    """

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self._open: list[str] = []
        self._classes: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes, tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)
            self._classes.append(attributes.get("class", ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> with nothing open"
        assert self._open[-1] == tag, (self._open, tag, self.getpos())
        self._open.pop()
        self._classes.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(f"{t}.{c}" for t, c in zip(self._open, self._classes, strict=True)), data))

    def text(self, inside: str = "") -> str:
        return "".join(text for path, text in self.texts if not inside or any(step.startswith(inside) for step in path))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes, _ in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes, _ in self.elements if "id" in attributes]
