"""What the documentation claims: settings, commands, events, metrics, links, and the two commands of the README."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from service.domain.events import EVENT_TYPES

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
SOURCES = [*(ROOT / "service").rglob("*.py"), *(ROOT / "projections").rglob("*.py")]


def first_cells(page: Path) -> set[str]:
    """Every `code` word in the first column of the page's tables."""
    rows = [line for line in page.read_text().splitlines() if line.startswith("| `")]
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_every_option_is_in_the_reference() -> None:
    text = (ROOT / "service/cli/options.py").read_text()
    options = set(re.findall(r'add_(?:option|switch)\(\s*parser, "(--[a-z-]+)"', text))
    assert options
    assert options <= first_cells(DOCS / "reference/settings.md")


def test_every_command_is_in_the_reference() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    commands = set(project["entry-points"]["tag_history.commands"])
    assert commands <= first_cells(DOCS / "reference/settings.md")


def test_the_reference_names_every_event_and_no_other() -> None:
    named = {word for word in first_cells(DOCS / "reference/events.md") if word[0].isupper()}
    assert named == set(EVENT_TYPES)


def test_every_metric_is_in_the_reference() -> None:
    made = re.compile(r'(?:Counter|Gauge|Histogram)\(\s*"(\w+)"')
    metrics = {name for path in SOURCES for name in made.findall(path.read_text())}
    assert {"taghistory_append_commands", "taghistory_projection_position"} <= metrics
    assert metrics <= first_cells(DOCS / "reference/metrics.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


def test_every_page_of_the_docs_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        waiting += [(page.parent / t).resolve() for t in re.findall(r"\]\(([^)#:]+)\)", page.read_text())]
    assert set(DOCS.rglob("*.md")) - seen == set()


def test_the_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    used = set(re.findall(r"^    make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    used |= set(re.findall(r"^    make ([a-z]+)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"up", "test"} <= used <= targets


def test_modules_named_in_the_docs_exist() -> None:
    named = {
        name
        for page in PAGES
        for name in re.findall(r"`((?:service|projections|tests|deploy)/[a-z_/.]+)`", page.read_text())
    }
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
