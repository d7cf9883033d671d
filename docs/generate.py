"""Writes settings.md, roles.md, rules.md, sheets.md, adapters.md, metrics.md and the tables of scale.md:
`python docs/generate.py`.

With `--check` nothing is written; the exit code says whether the files are up to date.
"""

import re
import shlex
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from fastapi.routing import APIRoute
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from typer.testing import CliRunner

from alerts.rulebook.ruletables import severity_bounds
from alerts.rulebook.writing import says
from alerts.rules import RULES
from alerts.rules.rule import Parameter, Rule
from console.accounts.models import Role
from console.api import router
from console.permissions import ALLOWED, Action, action_of
from console.texts import load
from devices.adapters import ADAPTERS
from devices.adapters.contract import Adapter
from registry.imports.columns import COLUMNS
from ringward.cli import app
from ringward.measures.catalogue import Family, families
from ringward.settings import Settings

PAGE = Path(__file__).with_name("settings.md")
ROLES = Path(__file__).with_name("roles.md")
RULES_PAGE = Path(__file__).with_name("rules.md")
SHEETS = Path(__file__).with_name("sheets.md")
ADAPTERS_PAGE = Path(__file__).with_name("adapters.md")
SCALE = Path(__file__).with_name("scale.md")
METRICS = Path(__file__).with_name("metrics.md")
SETTING_TEXTS = Path(__file__).parents[1] / "console" / "texts" / "en" / "settings_fields.po"
TIERS = Path(__file__).parents[1] / "devices" / "adapters" / "tiers.toml"

TEXTS_HEAD = """# English texts of each setting. Written by docs/generate.py from ringward/settings.py. Change it there.
msgid ""
msgstr ""
"Language: en\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""

HEAD = """# Settings

<!-- Written by docs/generate.py from ringward/settings.py. Change it there. -->

A setting comes from the environment (`RINGWARD_…`), else from `ringward.toml` in the working directory (the
lower-case name without the prefix), else from its default. A name that does not exist is refused, and so is
a value outside its range. Some commands take `--data-dir`, `--http-port` and `--mqtt-port`, which stand above
all three.

```toml
# ringward.toml
data_dir = "/var/lib/ringward"
mqtt_host = "192.168.10.2"
compound = "honghua"
```

Keep passwords, and addresses that hold one, out of the file: set them in the environment, or put each into a file of
its own, named as the variable in small letters (`ringward_database_url`), in the folder that `RINGWARD_SECRETS_DIR`
names or that systemd's `LoadCredential=` makes.

| Setting | Environment | Type and range | Default | What it does |
|---|---|---|---|---|
"""

ROLES_HEAD = """# Who may do what

<!-- Written by docs/generate.py from console/permissions.py and the routes. Change it there. -->

Every route of the API asks for one action, and every action has its roles: what is not in this table does
not exist, and a test asks every route as every role. Some routes show a role less than others: a guard learns
"belongs" or "does not belong" and nothing else, a grid worker sees the dwellings of the own grid, a resident
the own household and the own data, a volunteer the own tasks. A user may be bound to compounds; whatever the
role, another compound's rows do not exist for them.

Paths stand below `/api/v1`.

"""


def render_roles() -> str:
    """The page of actions, routes and roles."""
    routes: dict[Action, list[str]] = {action: [] for action in Action}
    for route in _routes(router):
        for method in sorted(route.methods):
            for action in _guards(route.dependant):
                routes[action].append(f"`{method} {route.path}`")
    head = "| Action | Routes | " + " | ".join(str(role).replace("_", " ") for role in Role) + " |\n"
    lines = [ROLES_HEAD, head, "|---|---|" + ":-:|" * len(Role) + "\n"]
    for action in Action:
        cells = [f"`{action}`", "<br>".join(routes[action]) or "pages only"]
        cells += ["●" if role in ALLOWED[action] else "" for role in Role]
        lines.append("| " + " | ".join(cells) + " |\n")
    return "".join(lines)


RULES_HEAD = """# The rules

<!-- Written by docs/generate.py from alerts/rules. Change it there. -->

What each rule asks, how grave it is, and what can be set. The id is what a rules file sets it by
(`[rules.R-E01]`); `ringward rules default` writes a file with all of this as comments, and `ringward
check-config FILE` says what is wrong with one. How a compound's file is kept is in the
[administrators' guide](administrators-guide.md#rules).

Severities are 1 critical, 2 urgent, 3 warning, 4 notice; in brackets from where to where a file may set one.
A signal that comes again for the same thing (*one incident per …*) makes the incident it belongs to grow.
*Clears by itself*: it ends when what it was about is over, unless somebody has confirmed it. *Safety*: cannot be
switched off, made milder, muted or held back. *Compared first*: a machine's word on a person is its cause,
so a person looks at both pictures before anybody is sent.

| Rule | Title | Rings | Severities |
|---|---|---|---|
"""


def render_rules() -> str:
    """The page of rules."""
    texts = load("en")
    rows = "".join(
        f"| [{rule.id}](#{rule.id.lower()}) | {texts.code('rule', rule.id).removeprefix(rule.id).strip()} "
        f"| {', '.join(sorted(rule.rings))} | {_levels(rule)} |\n"
        for rule in RULES
    )
    return RULES_HEAD + rows + "".join(map(_rule_section, RULES))


def _levels(rule: type[Rule]) -> str:
    found = []
    for level, default in rule.severities.items():
        gravest, mildest = severity_bounds(rule, level)
        span = f" ({gravest}…{mildest})" if gravest != mildest else ""
        found.append(f"{level} {default}{span}")
    return ", ".join(found) or "–"


def _rule_section(rule: type[Rule]) -> str:
    told = says(rule)
    facts = [f"`{rule.kind}`", f"one incident per {rule.key}"]
    if hasattr(sys.modules[rule.__module__], "Clear") or rule.clears is not Rule.clears:
        facts.append("clears by itself")
    if rule.safety:
        facts.append("safety")
    if rule.care:
        facts.append("care, not security")
    if rule.confirms:
        facts.append("compared first")
    if rule.gate:
        facts.append(f"only where {', '.join(rule.gate)} allow it")
    section = f"\n## {rule.id}\n\n{told[:1].upper()}{told[1:]}\n\n{'; '.join(facts)}. Severities: {_levels(rule)}.\n"
    if rule.listens:
        section += f"\nListens for {', '.join(f'`{kind}`' for kind in sorted(rule.listens))}.\n"
    if rule.hears:
        section += f"\nHears {', '.join(sorted(rule.hears))}.\n"
    if rule.parameters:
        section += "\n| Parameter | Unit | Default | Range | |\n|---|---|---|---|---|\n"
        section += "".join(map(_parameter_row, rule.parameters))
    return section


def _parameter_row(one: Parameter) -> str:
    return (
        f"| `{one.name}` | {one.unit} | {one.default:g} | {one.low:g}…{one.high:g} | "
        f"{one.trade_off.replace('|', chr(92) + '|')} |\n"
    )


def _routes(router: Any) -> Iterator[APIRoute]:
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        yield from [route] if inner is None else _routes(inner)


def _guards(dependant: Any) -> set[Action]:
    found: set[Action] = set()
    for inner in dependant.dependencies:
        action = action_of(inner.call)
        found |= {action} if action else _guards(inner)
    return found


SHEETS_HEAD = """# Sheets to import · 导入表格

<!-- Written by docs/generate.py from registry/imports/columns.py. Change it there. -->

CSV (UTF-8, GBK or UTF-16) and Excel (`.xlsx`, `.xls`). Rows above the header are skipped, merged cells count
for every row that they cover, and any of the names below is understood; an export writes the first one.
Columns that are not listed here are not read. An address may stand in one column or in three.

CSV(UTF-8、GBK 或 UTF-16)与 Excel(`.xlsx`、`.xls`)均可。表头以上的标题行会被跳过,
合并单元格按其覆盖的每一行取值;下列列名都能识别,导出时写第一个。表中未列出的列不读取。
地址可写在一列,也可分写楼栋、单元、房号三列。

"""


def render_sheets() -> str:
    """The page of sheets and columns."""
    parts = [SHEETS_HEAD]
    for kind, columns in COLUMNS.items():
        parts.append(f"## {kind}\n\n| Column · 列 | Also · 也可写作 | Example · 例 |\n|---|---|---|\n")
        for column in columns:
            first, *others = column.names
            parts.append(f"| {first} | {'、'.join(others)} | {column.example} |\n")
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


ADAPTERS_HEAD = """# Whose messages are understood

<!-- Written by docs/generate.py from devices/adapters/. Change it there. -->

Each adapter is one reader of one vendor's format (large ones lie in several files of the same name). What a
message of yours would become, or why it would be refused, says

```sh
ringward decode --adapter facesluice --topic mqtt/face/1006498/Rec message.json
```

Whatever an adapter does not know is kept with the event under its own name; what says a person's age, sex,
looks, name, telephone or identity number is taken out unread. A score that a device does not give is absent,
never a default.

| Tier | What it asks |
|---|---|
| bronze | decodes what the vendor documents, refuses the rest with a reason, survives fuzzing, drops what is sensitive, keeps what it does not know |
| silver | answers the device so that it stops re-sending, marks late and replayed records, knows online and offline, has a test for every known quirk |
| gold | commands with their answers, or everything there is to command where the device takes none; simulated on the wire by code of its own |
| platinum | person lists pushed and confirmed where the device keeps any, and tried on real hardware |

[`devices/adapters/tiers.toml`](../devices/adapters/tiers.toml) names the tests behind every tier; a test fails where
they do not exist. Nothing is platinum yet: no real device has been tried.

| Adapter | Whose | Tier | Comes by | Heartbeat | Commands |
|---|---|---|---|---|---|
"""


def render_adapters() -> str:
    """The page of vendors' formats, with the fields of each."""
    tiers = tomllib.loads(TIERS.read_text(encoding="utf-8"))
    adapters = sorted(ADAPTERS.values(), key=lambda adapter: adapter.name)
    rows = "".join(_adapter_row(adapter, tiers[adapter.name]["tier"]) for adapter in adapters)
    return ADAPTERS_HEAD + rows + "".join(map(_adapter_fields, adapters))


def _adapter_row(adapter: Adapter, tier: str) -> str:
    ways = [*(["MQTT"] if adapter.topics else []), *(["HTTP"] if adapter.pushes else [])]
    beat = "none" if adapter.heartbeat_s is None else f"{adapter.heartbeat_s} s"
    commands = ", ".join(sorted(adapter.commands)) or "none"
    link = f"[`{adapter.name}`](#{adapter.name})"
    return f"| {link} | {adapter.title} | {tier} | {', '.join(ways)} | {beat} | {commands} |\n"


def _adapter_fields(adapter: Adapter) -> str:
    told = [f"\n## {adapter.name}\n\n{adapter.title}."]
    if adapter.gateway:
        told.append(" Speaks for what hangs behind it.")
    if adapter.aliases:
        told.append(f" Also found as {', '.join(f'`{name}`' for name in adapter.aliases)}.")
    if adapter.topics:
        told.append(f"\n\nTopics: {', '.join(f'`{wanted}`' for wanted in adapter.topics)}.")
    if adapter.root is not None:
        told.append(f" The root `{adapter.root}` can be `rw/gw/{{device}}` instead.")
    told.append("\n\n| In the message | Becomes |\n|---|---|\n")
    told += [
        f"| `{path.replace('|', chr(92) + '|')}` | {_meaning(to)} |\n" for path, to in adapter.fields.items()
    ]
    return "".join(told)


def _meaning(to: str) -> str:
    return to.replace("|", "\\|")


def render() -> str:
    """The page of settings."""
    return HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def render_setting_texts() -> str:
    """The English catalogue of what each setting is called and trades."""
    told = [TEXTS_HEAD]
    for name, field in Settings.model_fields.items():
        for key, text in (("setting", field.title), ("setting_about", field.description)):
            words = (text or name).replace("\\", "\\\\").replace('"', '\\"')
            told.append(f'\nmsgid "{key}.{name}"\nmsgstr "{words}"\n')
    return "".join(told)


def _row(name: str, field: FieldInfo) -> str:
    cells = (
        field.title or name,
        f"`RINGWARD_{name.upper()}`",
        _type(field),
        _default(field.default),
        field.description or "",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _type(field: FieldInfo) -> str:
    parts = [_name(field.annotation)]
    low = high = None
    for rule in field.metadata:
        if isinstance(rule, annotated_types.Ge):
            low = rule.ge
        elif isinstance(rule, annotated_types.Le):
            high = rule.le
        elif getattr(rule, "pattern", None):
            parts.append(f"`{rule.pattern}`")
    if low is not None or high is not None:
        parts.append(f"{low if low is not None else ''}…{high if high is not None else ''}")
    return ", ".join(parts)


def _name(annotation: Any) -> str:
    if get_origin(annotation) in {Union, types.UnionType}:
        return " or ".join(_name(part) for part in get_args(annotation) if part is not types.NoneType)
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    return {str: "text", int: "whole number", Path: "path", SecretStr: "secret"}.get(
        annotation, str(annotation)
    )


def _default(value: object) -> str:
    return "none" if value is None else f"`{value}`"


def render_scale() -> str:
    """The page of sizes with what `ringward plan` says of each."""
    return re.sub(
        r"(<!-- ringward (plan [^\n]*) -->\n).*?(<!-- end -->)",
        _plan,
        SCALE.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )


def _plan(match: re.Match[str]) -> str:
    told = CliRunner().invoke(app, [*shlex.split(match[2]), "--markdown"], catch_exceptions=False)
    if told.exit_code:
        raise SystemExit(told.output)
    return f"{match[1]}\n{told.stdout}\n{match[3]}"


METRICS_HEAD = """# Metrics

<!-- Written by docs/generate.py from the source. Change it there. -->

What `/metrics` of a process shows, in Prometheus' text format. A process shows what its own roles count;
*the keeper* measures for all what no role sees by itself, every 15 seconds or more seldom, and a measure that
can no longer be taken disappears instead of standing still. Beside these stand prometheus-client's own
`process_…` and `python_…` (processor time, memory, open files).

No label names a person, a plate or a face. A label `device` has at most a thousand values.

The [alert rules](../deploy/prometheus) use these names, and a test holds them together.

"""

METRIC_MAKERS = (
    ("ringward/measures", "What the keeper measures"),
    ("ingest", "Ingest"),
    ("bus", "Bus"),
    ("recognition", "Recognition"),
    ("alerts", "Rules, incidents, notifications"),
    ("devices", "Devices"),
    ("console", "Console"),
    ("storage", "Storage"),
    ("privacy", "Privacy"),
    ("ringward", "Processes and the keeper's own work"),
)


def render_metrics() -> str:
    """The page of metrics, by who makes them."""
    left = families(Path(__file__).parents[1])
    parts = [METRICS_HEAD]
    for folder, title in METRIC_MAKERS:
        made = [family for family in left if family.made_in.startswith(folder)]
        if not made:
            continue
        left = [family for family in left if family not in made]
        parts.append(
            f"## {title}\n\n| Metric | Kind | Unit | Labels | What it says |\n|---|---|---|---|---|\n"
        )
        parts += [_metric_row(family) for family in made]
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _metric_row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels) or "–"
    return f"| `{family.name}` | {family.kind} | {family.unit} | {labels} | {family.says.rstrip('.')}. |\n"


def main() -> int:
    """Exit code 1 when `--check` finds a difference."""
    pages = {
        PAGE: render(),
        ROLES: render_roles(),
        RULES_PAGE: render_rules(),
        SHEETS: render_sheets(),
        ADAPTERS_PAGE: render_adapters(),
        SCALE: render_scale(),
        METRICS: render_metrics(),
        SETTING_TEXTS: render_setting_texts(),
    }
    if "--check" in sys.argv[1:]:
        return int(any(not p.exists() or p.read_text(encoding="utf-8") != text for p, text in pages.items()))
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
