"""`plan` and `publish`."""

from pathlib import Path
from typing import Any

import click
import orjson

from publisher.cli.cdn import Behind, cdn_options
from publisher.cli.console import Console
from publisher.cli.engine import Engine, engine
from publisher.cli.options import Asked, Place, format_option, option, pass_console, run, source_options, store_options
from publisher.cli.sealing import Sealing, signing, trusting
from publisher.plan import Plan
from publisher.planreport import plan_json
from publisher.refusals import HAZARDS
from publisher.survey import Wish

allow_option = option(
    "--allow",
    type=click.Choice(list(HAZARDS)),
    multiple=True,
    help="Waive a hazard by its id; may be given again. See `explain`.",
    metavar="HAZARD",
)
ignores_option = option(
    "--store-ignores-conditions",
    "unconditional",
    is_flag=True,
    help="Do not ask a new store whether it holds conditional writes. For benchmarks: publishers may undo each other.",
)
strict_option = option("--strict", is_flag=True, help="Publish nothing where some tenant or domain cannot be.")
lift_option = option(
    "--lift-hold",
    "lift",
    is_flag=False,
    flag_value="all",
    metavar="[TENANT]",
    multiple=True,
    help="End the hold of a rollback: of a tenant (may be given again), or of all.",
)
_OUT = option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan there, for publish --plan."
)
_PLAN = option(
    "--plan",
    "planned",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Publish just what this plan of `plan --out` says, or stop.",
)
_NOT_FIRST = option(
    "--not-first", is_flag=True, help="Refuse a store in which nothing was ever published: emptied, or wrong."
)


@click.command(short_help="Show what a publish would change.")
@source_options
@store_options
@allow_option
@lift_option
@_OUT
@trusting
@format_option
@pass_console
def plan(
    console: Console,
    asked: Asked,
    place: Place,
    allow: tuple[str, ...],
    lift: tuple[str, ...],
    out: Path | None,
    sealing: Sealing,
    form: str,
) -> None:
    """Show what a publish would change, per domain: keys in, keys out, phases moved. Changes no document.

    (Where there is something to publish, the store is asked for its time by an object `probe/clock`.)
    """
    if out is not None and not out.absolute().parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {str(out.parent)!r}; make it first")
    run_of = engine(console, asked, place, sealing, form=form)
    _, made = run_of.plan(run_of.order(allow, wish_of(lift)))
    if out is not None:
        value = {**plan_json(made), "allow": sorted(allow), "lift": sorted(lift)}
        out.write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")
    if made.unreadable:
        raise click.exceptions.Exit(3)
    if made.blocked or made.mistakes or made.refused:
        raise click.exceptions.Exit(1)


@click.command(short_help="Publish what changed to a store.")
@source_options
@store_options
@allow_option
@lift_option
@strict_option
@_PLAN
@_NOT_FIRST
@ignores_option
@cdn_options
@signing
@format_option
@pass_console
def publish(
    console: Console,
    asked: Asked,
    place: Place,
    allow: tuple[str, ...],
    lift: tuple[str, ...],
    strict: bool,
    planned: Path | None,
    not_first: bool,
    unconditional: bool,
    behind: Behind,
    sealing: Sealing,
    form: str,
) -> None:
    """Plan, and do it, as a new release: documents, the release, the live objects that changed, HEAD.

    Tenants with mistakes and domains with a hazard keep what they serve, the others are published, and the exit code is
    1. With --cdn copies are purged then; a purge that fails is exit code 3, and the next publish repeats it.
    """
    run_of = engine(console, asked, place, sealing, form=form, strict=strict, ask_first=not unconditional)
    if not_first and run(run_of.log.tip()).head is None:
        console.error(f"{run_of.log.store.url}: nothing was ever published there: emptied, or another place is meant")
        raise click.exceptions.Exit(3)
    run_of.check_lift(lift)
    if planned is None:
        run_of.publish(run_of.order(allow, wish_of(lift)), behind)
        return
    told = _read_plan(planned)
    order = run_of.order({*allow, *told["allow"]}, wish_of(tuple(told["lift"])))
    if order.revision.commit.id != told["commit"]:  # also where there is nothing to do for it
        _say_stale(run_of, told, run(run_of.log.tip()).sequence or None, order.revision.commit.id)
        raise click.exceptions.Exit(1)
    run_of.publish(order, behind, lambda made: _is_same(run_of, made, told))


def wish_of(lift: tuple[str, ...]) -> Wish:
    """The wish of --lift-hold."""
    return Wish(lift=None if "all" in lift else frozenset(lift))


def _read_plan(path: Path) -> dict[str, Any]:
    try:
        value = orjson.loads(path.read_bytes())
        told = {name: value[name] for name in ("digest", "base", "commit", "allow", "lift")}
        lists = [told["allow"], told["lift"]]
        if not all(isinstance(some, list) and all(isinstance(one, str) for one in some) for some in lists):
            raise TypeError
        return told
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise click.UsageError("--plan: the file is no plan; make it with `plan --out FILE`") from None


def _is_same(run_of: Engine, made: Plan, told: dict[str, Any]) -> bool:
    if made.digest == told["digest"]:
        return True
    _say_stale(run_of, told, None if made.base is None else made.base.sequence, made.commit.id)
    return False


def _say_stale(run_of: Engine, told: dict[str, Any], base: int | None, commit: str) -> None:
    if base != told["base"]:
        why = f"it starts from release {told['base']}, and the store is at {base}"
    elif commit != told["commit"]:
        why = f"it is of commit {str(told['commit'])[:12]}, and this is {commit[:12]}"
    else:
        why = "what would be published now differs from it"
    run_of.console.error(
        f"the plan is stale: {why}; nothing was published; make it again with `plan --out`, and review it"
    )
