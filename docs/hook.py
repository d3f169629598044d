"""MkDocs calls this: pages that are generated, and parts of pages, marked `<!-- generated: NAME ... -->`.

`<!-- generated: section README "TITLE" ... -->` shows sections of a README of the repository, which stay the only source.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from posixpath import dirname, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from gateproof_docs import action, catalogue_pages, commands, gateway_keys, measured, readmes

_MARK = re.compile(r"^<!-- generated: (.+?) -->$", re.MULTILINE)

PARTS: dict[str, Callable[[], str]] = {
    "gateway-tables": gateway_keys.gateway_tables,
    "claims": gateway_keys.claims,
    "baseline-table": gateway_keys.baseline_table,
    "commands": commands.commands,
    "command-overview": commands.overview,
    "action-inputs": action.inputs,
    "action-outputs": action.outputs,
    "suite-options": commands.suite_options,
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the catalogue's areas, and the gateways measured, where the navigation has their first pages."""
    under = {
        catalogue_pages.INDEX: [{area: f"{catalogue_pages.FOLDER}/{area}.md"} for area in catalogue_pages.areas()],
        measured.INDEX: [{name: f"{measured.FOLDER}/{name}/README.md"} for name in measured.gateways()],
    }
    config.nav = [
        {title: [page, *under[page]] if isinstance(page, str) and page in under else page}
        for entry in config.nav or []
        for title, page in entry.items()
    ]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the catalogue, and what was measured."""
    for path, text in (catalogue_pages.pages() | measured.pages()).items():
        files.append(File.generated(config, path, content=text))
    files.append(File.generated(config, f"{measured.FOLDER}/{measured.MATRIX}", content=measured.matrix()))
    for path, file in measured.reports():
        files.append(File.generated(config, path, abs_src_path=str(file)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put in what a page asks for. Raises PluginError for a name that is none, so that no build shows a gap."""

    def filled(found: re.Match[str]) -> str:
        name, *arguments = shlex.split(found[1])
        if name == "section":
            shown = "\n\n".join(readmes.with_heading(arguments[0], title) for title in arguments[1:])
            return readmes.relinked(shown, _anchors(arguments[0], page, files))
        if name == "file":
            return readmes.shown(*arguments)
        if name not in PARTS:
            raise PluginError(f"{page.file.src_uri}: nothing generated is called {name!r}; there is {', '.join(PARTS)}")
        return PARTS[name]()

    return _MARK.sub(filled, markdown)


def _anchors(readme: str, page: Page, files: Files) -> dict[str, str]:
    """Where each section of a README is shown, by the link to it there, as seen from this page."""
    found: dict[str, str] = {}
    for file in files.documentation_pages():
        for mark in _MARK.finditer(file.content_string):
            name, *arguments = shlex.split(mark[1])
            if name == "section" and arguments[0] == readme:
                to_page = relpath(file.src_uri, dirname(page.file.src_uri) or ".")
                found |= {f"#{readmes.slug(title)}": f"{to_page}#{readmes.slug(title)}" for title in arguments[1:]}
    return found
