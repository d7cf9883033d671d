"""The documents say what is true of the program: commands, links, settings, types, reasons."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from alerts.routing.proving import prove
from alerts.routing.reading import load
from devices.adapters.canonical import EVENT_TYPES
from devices.adapters.native import decode_event, decode_state
from ringward import secretfiles
from ringward.cli import app
from ringward.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")])
GUIDES = [ROOT / "docs" / "integrators-guide.md", ROOT / "docs" / "integrators-guide.zh-CN.md"]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
SHORT = {"import": "file", "backup": "make"}
LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"')
FENCE = re.compile(r"^\s*```(\w*)\n(.*?)^\s*```", re.MULTILINE | re.DOTALL)


def code(text: str) -> str:
    """Only what stands in code spans and fences, one piece a line; continued lines are joined."""
    fences = [match[2] for match in FENCE.finditer(text)]
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    return "\n".join([*fences, *spans]).replace("\\\n", " ")


def blocks(page: Path, language: str) -> Iterator[str]:
    yield from (match[2] for match in FENCE.finditer(page.read_text()) if match[1] == language)


def slug(heading: str) -> str:
    """The anchor that a heading gets on the usual code forges."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_generated_pages_are_what_the_program_says() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.PAGE.read_text() == generate.render(), "run: python docs/generate.py"
    assert generate.ROLES.read_text() == generate.render_roles(), "run: python docs/generate.py"
    assert generate.RULES_PAGE.read_text() == generate.render_rules(), "run: python docs/generate.py"
    assert generate.SHEETS.read_text() == generate.render_sheets(), "run: python docs/generate.py"
    assert generate.ADAPTERS_PAGE.read_text() == generate.render_adapters(), "run: python docs/generate.py"
    assert generate.SCALE.read_text() == generate.render_scale(), "run: python docs/generate.py"
    assert generate.METRICS.read_text() == generate.render_metrics(), "run: python docs/generate.py"
    texts = generate.SETTING_TEXTS.read_text()
    assert texts == generate.render_setting_texts(), "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_and_option_named_exists(page: Path) -> None:
    root = typer.main.get_command(app)
    for line in code(page.read_text()).splitlines():
        named = re.search(r"(?:^|[\s/])ringward ((?:[a-z][\w-]*|--[a-z]).*)", line)
        # With "$@" it is a shell's function for a group: what it is called with stands elsewhere.
        if named is None or '"$@"' in line or "systemctl" in line or "useradd" in line or "mosquitto" in line:
            continue
        words = named[1].split("#")[0].split()
        command: Any = root
        # A group has commands; typer's classes are its own, so they are known by that.
        while hasattr(command, "commands") and words and not words[0].startswith("-"):
            name = words[0]
            # `import FILE` and `backup DEST` are short for a command of the group.
            if name not in command.commands and command.name in SHORT:
                name = SHORT[command.name]
            else:
                words.pop(0)
            assert name in command.commands, f"ringward {named[1]}"
            command = command.commands[name]
        options = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        } | {"--help"}
        used = {word.split("=")[0] for word in words if word.startswith("--")}
        assert used <= options, f"ringward {named[1]}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relative_link_resolves(page: Path) -> None:
    for match in LINK.finditer(FENCE.sub("", page.read_text())):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", FENCE.sub("", file.read_text()), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


@pytest.mark.parametrize("readme", READMES, ids=lambda page: page.name)
def test_both_readmes_name_the_two_commands(readme: Path) -> None:
    fences = "\n".join(blocks(readme, "sh")).splitlines()
    assert "make run" in fences
    assert "make test" in fences


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_make_target_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    # `ringward roster make three-shifts` is a command of ours.
    named = set(re.findall(r"(?:^|(?<!roster)\s)make ([a-z][a-z-]*)", code(page.read_text()), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_environment_variable_named_is_a_setting(page: Path) -> None:
    known = {f"RINGWARD_{name.upper()}" for name in Settings.model_fields} | {secretfiles.FOLDER}
    assert set(re.findall(r"RINGWARD_[A-Z_]*[A-Z]", page.read_text())) <= known


@pytest.mark.parametrize("page", [*READMES, ROOT / "docs" / "settings.md"], ids=lambda page: page.name)
def test_every_toml_key_shown_is_a_setting(page: Path) -> None:
    for block in blocks(page, "toml"):
        assert set(re.findall(r"^\s*(\w+) =", block, re.MULTILINE)) <= set(Settings.model_fields)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda page: page.name)
def test_guides_list_exactly_the_event_types(guide: Path) -> None:
    listed = re.findall(r"^- \*\*.*?(?=^- \*\*|^\n)", guide.read_text(), re.MULTILINE | re.DOTALL)
    types = {name for entry in listed for name in re.findall(r"`(\w+\.\w+)`", entry)}
    assert types == EVENT_TYPES


@pytest.mark.parametrize("guide", GUIDES, ids=lambda page: page.name)
def test_guides_explain_every_refusal_and_mark(guide: Path) -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", guide.read_text(), re.MULTILINE))
    assert codes_in_ingest() | broker_codes() <= explained


@pytest.mark.parametrize("page", [*GUIDES, *READMES], ids=lambda page: page.name)
def test_events_and_states_shown_are_understood(page: Path) -> None:
    shown = [json.loads(block) for block in blocks(page, "json")]
    for body in shown:
        if "status" in body:
            decode_state(json.dumps(body).encode())
        elif str(body.get("type")).startswith("ringward."):
            continue  # A webhook's: tests/alerts/notify/channels/test_webhooks.py compares it with ours.
        elif "type" in body:
            body["images"] = [image | {"jpeg": "/9j/2Q=="} for image in body["images"]]
            assert decode_event(json.dumps(body).encode()).marks == ()
    assert any("images" in body for body in shown)


@pytest.mark.parametrize("name", ["administrators-guide.md", "administrators-guide.zh-CN.md"])
def test_the_routing_tree_shown_is_accepted(name: str) -> None:
    trees = [block for block in blocks(ROOT / "docs" / name, "toml") if "[route]" in block]
    assert len(trees) == 1
    reading = load(trees[0])
    assert [*reading.findings, *prove(reading)] == []


def test_python_of_the_guide_compiles() -> None:
    for block in blocks(GUIDES[0], "python"):
        ast.parse(block)


def test_first_compound_can_take_devices(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    environment = os.environ | {"RINGWARD_COMPOUND": "willow"}
    script = [sys.executable, str(ROOT / "docs" / "first_compound.py"), "--data-dir", data]
    subprocess.run(script, check=True, cwd=tmp_path, env=environment, timeout=60)
    add = "device add gate1-cam --zone gate-1 --kind face_camera --lane gate1-in --direction in --data-dir"
    done = subprocess.run(
        [sys.executable, "-m", "ringward", *add.split(), data],
        check=True,
        cwd=tmp_path,
        env=environment,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert "topic rw/v1/willow/gate1-cam/up/event" in done.stdout


def codes_in_ingest() -> set[str]:
    """Literal reasons and marks in the source of ingest."""
    found: set[str] = set()
    for path in [*(ROOT / "ingest").rglob("*.py"), *(ROOT / "devices" / "adapters").glob("*.py")]:
        text = path.read_text()
        found |= set(re.findall(r'RefusedError\(\s*"(\w+)"', text))
        found |= set(
            re.findall(r'(?:mark\(marks, |marks\.append\(|marks = \(|flagged_late, \()"(\w+)"', text)
        )
    assert {"malformed_json", "clock_skew", "png_named_jpeg"} <= found
    return found


def broker_codes() -> set[str]:
    return set(re.findall(r'"(broker_\w+)"', (ROOT / "bus" / "embedded.py").read_text()))
