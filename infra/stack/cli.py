"""The `doxie` command."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from infra.stack import detach, mails, status, up
from infra.stack import home as homes
from infra.stack.errors import StackError
from infra.stack.files import read_env
from infra.stack.process import REPOSITORY

app = typer.Typer(
    name="doxie",
    help="Doxie: collaborative documents, with everything they need, in one command.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Where the state lies [default: $DOXIE_HOME or .doxie]")
]
_VERBATIM = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command("up")
def up_(
    home: HomeOption = None,
    detached: Annotated[bool, typer.Option("--detach", help="Return once it is ready; stop with `down`")] = False,
    reloading: Annotated[bool, typer.Option("--reload", help="Restart our processes when the code changes")] = False,
    only: Annotated[str, typer.Option(hidden=True, help="These services and steps only, separated by commas")] = "",
    notify: Annotated[int | None, typer.Option(hidden=True, help="Where `--detach` waits for the outcome")] = None,
) -> None:
    """Start every service that has no URL in the environment, and show where things are."""
    if detached:
        detach.start(home, ["--only", only, *(["--reload"] if reloading else [])])
        return
    names = [name for name in only.split(",") if name]

    def ready() -> None:
        detach.tell(notify, detach.READY)

    try:
        asyncio.run(up.run(home, only=names, reloading=reloading, ready=ready))
    except (StackError, OSError) as error:
        if notify is None:
            raise
        detach.tell(notify, _one_line(error))
        raise typer.Exit(1) from error


@app.command()
def down(home: HomeOption = None) -> None:
    """Stop everything, in order."""
    where = homes.at(home)
    print(f"stopped {where.root}" if detach.stop(where) else f"nothing is running in {where.root}")


@app.command("status")
def status_(home: HomeOption = None) -> None:
    """Show what runs where; exit code 1 when nothing does."""
    for line in status.table(homes.at(home)):
        print(line)


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="One service, by default all")] = None,
    home: HomeOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is written")] = False,
) -> None:
    """Show the end of the logs."""
    for line in status.lines(homes.at(home), service, follow=follow):
        print(line, flush=follow)


@app.command()
def restore(
    to: Annotated[str, typer.Option("--to", help="A moment like 2026-05-01T12:00:00Z, or `latest`")],
    home: HomeOption = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="The home whose backups are taken [default: the same; of a new one $DOXIE_HOME]"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Stop what runs there, replace what is there")] = False,
) -> None:
    """Put the embedded database back to a moment, or into a new home."""
    from infra.stack import restore as restoring

    moment = None if to == "latest" else _moment(to)
    target = homes.create(home)
    if source is None and (target.secrets.exists() or not homes.at(None).secrets.exists()):
        source = target.root
    asyncio.run(restoring.run(target, homes.at(source), moment, force=force))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise StackError(f"{text!r} is no moment like 2026-05-01T12:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@app.command("mails")
def mails_(
    number: Annotated[int | None, typer.Argument(help="One of them, as numbered in the list")] = None,
    home: HomeOption = None,
) -> None:
    """Show the mails that were kept, newest first, because no mail server is set (DOXIE_SMTP_URL)."""
    where = homes.at(home)
    for line in mails.table(where) if number is None else mails.one(where, number):
        print(line)


@app.command("compile")
def compile_() -> None:
    """Compile what every keystroke runs through: collab processes started from then on take a fifth less processor."""
    from infra import compiled, compiling

    if (made := compiled.find()) is None:
        print("compiling takes about a minute …", flush=True)
        try:
            made = compiling.copy()
        except compiling.CannotCompile as error:
            print(f"doxie: {error}", file=sys.stderr)
            raise typer.Exit(3 if isinstance(error, compiling.NoCompiler) else 1) from error
    print(f"compiled: {made.relative_to(REPOSITORY)}")


@app.command(context_settings=_VERBATIM)
def test(context: typer.Context) -> None:
    """Run the tests, on two stacks at once; arguments go to pytest instead, and run what they name on one."""
    os.chdir(REPOSITORY)
    _become("pytest", *(context.args or ("--numprocesses=2", "--dist=loadfile", "--durations=40")))


@app.command(context_settings=_VERBATIM)
def bench(context: typer.Context) -> None:
    """Run the benchmarks, or the one that is named."""
    os.chdir(REPOSITORY)
    _become("tests.bench", *context.args)


@app.command(context_settings=_VERBATIM)
def admin(context: typer.Context) -> None:
    """Create and promote users, rebuild and verify documents, rotate keys, back up, drill."""
    _on_running_stack("admin", *context.args)


@app.command("verify-export", context_settings=_VERBATIM)
def verify_export(context: typer.Context) -> None:
    """Check an archive of an organization with nothing but the archive; nothing has to run."""
    _become("flows.cli", "verify-export", *context.args)


@app.command(context_settings=_VERBATIM)
def demo(context: typer.Context) -> None:
    """Fill the running stack with something to look at."""
    _on_running_stack("demo", *context.args)


def _on_running_stack(*arguments: str) -> None:
    """Hand over to the flows' own command, with the variables of the running stack."""
    home = homes.at(None)
    if "--help" not in arguments and not os.environ.get("DOXIE_DATABASE_URL"):
        status.require_running(home)
    os.environ["DOXIE_HOME"] = str(home.root)
    for name, value in read_env(home.environment).items():
        os.environ.setdefault(name, value)
    _become("flows.cli", *arguments)


def _become(module: str, *arguments: str) -> None:
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(REPOSITORY), path)))
    command = [sys.executable, "-m", module, *arguments]
    os.execv(sys.executable, command)  # noqa: S606 - there is nothing for a shell to do


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def main() -> None:
    """Run the command; what the operator must know is one line on stderr and exit code 1."""
    try:
        app(prog_name="doxie")
    except (StackError, OSError) as error:
        raise SystemExit(f"doxie: {_one_line(error)}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
