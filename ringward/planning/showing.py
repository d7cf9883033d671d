"""A plan as text, as tables of a page, and as JSON."""

from collections.abc import Sequence
from typing import Any

from ringward.planning.costs import Cost
from ringward.planning.sizing import Plan


def number(value: float) -> str:
    """Three figures that count: more would be believed."""
    if value == 0:
        return "0"
    if value >= 100:
        rounded = round(value, -(len(str(int(value))) - 3))
        return f"{int(rounded):,}"
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3g}"


def markdown(plan: Plan) -> str:
    """All of the plan, as docs/scale.md has it and the command prints it."""
    return (
        "\n\n".join([_head(plan), _parts(plan), _amounts(plan), _limits(plan), _steps(plan), _basis(plan)])
        + "\n"
    )


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan as one object; names are those of the tables, values are not rounded."""
    demand = plan.demand
    return {
        "demand": {
            "people": demand.people,
            "devices": demand.devices,
            "cameras": demand.cameras,
            "compounds": demand.compounds,
            "events_per_device_day": demand.events_per_device_day,
            "retention_days": demand.retention_days,
        },
        "shards": plan.shards,
        "processes": plan.processes,
        "cores": round(plan.cores, 2),
        "memory_mb": round(plan.memory_mb),
        "roles": {
            part.role: {
                "processes": part.processes,
                "standby": part.standby,
                "cores": round(part.cores, 3),
                "memory_mb": round(part.memory_mb),
            }
            for part in plan.parts
        },
        "amounts": {
            one.name: {"unit": one.unit, "a_shard": round(one.a_shard, 3), "total": round(one.total, 3)}
            for one in plan.amounts
        },
        "limits": {
            one.name: {
                "load": round(one.load, 3),
                "capacity": round(one.capacity, 3),
                "unit": one.unit,
                "share": round(one.share, 4),
                "step": one.step,
            }
            for one in plan.limits
        },
        "bottleneck": plan.first.name,
        "bottleneck_of_shard": plan.first_to_split.name,
        "steps": [{"step": step, "from_compounds": compounds} for step, compounds in plan.steps],
        "measured": {one.name: one.by for one in plan.used if one.is_measured},
        "assumed": {one.name: one.by for one in plan.assumed},
        "extrapolated": {one.name: round(times, 2) for one, times in plan.extrapolated},
    }


def _head(plan: Plan) -> str:
    demand = plan.demand
    compounds = "1 compound" if demand.compounds == 1 else f"{demand.compounds:,} compounds"
    where = "one machine" if not plan.several_machines else "several machines"
    if plan.shards > 1:
        where = f"{plan.shards} shards of up to {-(-demand.compounds // plan.shards):,} compounds"
    return (
        f"**{compounds}, {demand.people:,} people, {demand.devices:,} devices, "
        f"{demand.cameras:,} cameras: {where}, {plan.processes:,} processes, {number(plan.cores)} cores, "
        f"{number(plan.memory_mb / 1000)} GB of memory.** Half of each core is free in the busiest minute."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("--:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _parts(plan: Plan) -> str:
    rows = [
        [
            part.role,
            f"{part.processes}{f' + {part.standby}' if part.standby else ''}" if part.processes else "inside",
            number(part.cores),
            f"{number(part.memory_mb)} MB" if part.memory_mb else "inside",
        ]
        for part in plan.parts
    ]
    return _table(
        ["role, of one shard" if plan.shards > 1 else "role", "processes + standby", "cores", "memory"], rows
    )


def _amounts(plan: Plan) -> str:
    if plan.shards == 1:
        return _table(
            ["amount", "so much"],
            [[one.name, f"{number(one.total)} {one.unit}".strip()] for one in plan.amounts],
        )
    rows = [
        [
            one.name,
            f"{number(one.a_shard)} {one.unit}".strip(),
            f"{number(one.total)} {one.unit}".strip() if one.name != "rows a partition" else "",
        ]
        for one in plan.amounts
    ]
    return _table(["amount", "a shard", "all"], rows)


def _limits(plan: Plan) -> str:
    ordered = sorted(plan.limits, key=lambda one: -one.share)
    rows = [
        [one.name, f"{number(one.load)} {one.unit}", number(one.capacity), f"{number(100 * one.share)} %"]
        for one in ordered
    ]
    what = "of one shard, " if plan.shards > 1 else ""
    table = _table([f"{what}one of each", "load", "carries", "full"], rows)
    first, split = plan.first, plan.first_to_split
    told = [f"First to give way: **{first.name}**, at {number(100 * first.share)} % of what one carries."]
    if first.share > 1:
        told.append("The table of roles has more of them already.")
    told.append(f"First to ask for another shard: **{split.name}**, at {number(100 * split.share)} %.")
    return table + "\n\n" + " ".join(told)


def _steps(plan: Plan) -> str:
    rows = [[step, f"{compounds:,.0f}"] for step, compounds in plan.steps if compounds < 100_000]
    return _table(["what to add", "from so many compounds of this kind"], rows)


def _basis(plan: Plan) -> str:
    measured = [one for one in plan.used if one.is_measured]
    told = [f"Measured: {_names(measured)}."]
    if plan.extrapolated:
        beyond = ", ".join(
            f"{cost.name} ({number(times)} times the largest size measured)"
            for cost, times in plan.extrapolated
        )
        told.append(f"Extrapolated, and so to be measured before it is bought: {beyond}.")
    else:
        told.append("Nothing measured is carried beyond the size it was measured at.")
    told.append(f"Assumed, not measured: {_names(plan.assumed)}.")
    return "\n\n".join(told)


def _names(costs: Sequence[Cost]) -> str:
    return ", ".join(f"{one.name} {one.value:g} {one.unit}" for one in costs) or "nothing"
