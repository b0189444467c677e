"""Markdown (CommonMark with tables), read through its HTML rendering."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from lxml.html.defs import tags as html_tags
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse import html
from retrieval.ingest.parse.clean import visible
from retrieval.ingest.parse.encoding import decoded

# Metadata of site generators; CommonMark would read it as one large heading.
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")


def parse(content: bytes) -> Iterator[Block]:
    """One block per paragraph; links and images keep their text, without the address."""
    text = _FRONT_MATTER.sub(r"\1\n\n", visible(decoded(content)))
    return html.shown_blocks(f"<body>{_renderer().render(text)}</body>")


def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    renderer.add_render_rule("image", _alternative_text)
    renderer.add_render_rule("html_inline", _known_tags_alone)
    renderer.add_render_rule("html_block", _known_tags_alone)
    return renderer


def _alternative_text(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return escape(renderer.renderInlineAsText(tokens[index].children, options, env))


def _known_tags_alone(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Keeps unknown tags as text, because people write `<your name>` in plain text."""
    content = tokens[index].content
    tag = _TAG.match(content.lstrip())
    return content if tag is None or tag[1].lower() in html_tags else escape(content)
