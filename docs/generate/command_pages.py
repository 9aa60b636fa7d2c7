"""Every command with its arguments and options, from the command line itself."""

from __future__ import annotations

import typer
from pydantic_core import PydanticUndefined

from docs.generate.markdown import code, plain, table

TRAIN = "train"  # its options are the trainer's, which the command line hands on unread


def command_page() -> str:
    """Markdown of all commands, in the order in which `winnow --help` lists them."""
    from flows.cli import app

    parts = ["# Commands\n", "Made from the command line; `winnow COMMAND --help` says the same.\n"]
    for name, command in _flat(typer.main.get_command(app)):
        parts += [f"## winnow {name}\n", plain(command.help or "") + "\n"]
        parts.append(_trainer() if name == TRAIN else _parameters(command))
    return "\n".join(parts)


def _flat(group: object, before: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            found += _flat(command, f"{before}{name} ")
        else:
            found.append((f"{before}{name}", command))
    return found


def _parameters(command: object) -> str:
    rows = []
    for one in command.params:  # type: ignore[attr-defined]
        if one.name == "help":
            continue
        is_option = one.param_type_name == "option"
        names = ", ".join([*one.opts, *one.secondary_opts]) if is_option else one.metavar or one.name.upper()
        again = "may be given again" if is_option and one.multiple else ""
        told = plain(" ".join(filter(None, (one.help, f"({again})" if again else ""))))
        rows.append((code(names), told, _default(one)))
    return table(("argument or option", "meaning", "default"), rows)


def _default(one: object) -> str:
    if one.required:  # type: ignore[attr-defined]
        return "needed"
    if one.name == "workers":  # type: ignore[attr-defined]
        return "processors of the machine"
    value = one.default  # type: ignore[attr-defined]
    return "" if value in (None, False, ()) else code(value)


def _trainer() -> str:
    from training.options import FLAGS, TrainOptions

    rows = []
    for name, field in TrainOptions.model_fields.items():
        default = (
            "needed"
            if field.is_required()
            else ""
            if field.default in (None, PydanticUndefined)
            else code(field.default)
        )
        shown = name if name == "manifest" else "--" + FLAGS.get(name, name).replace("_", "-")
        rows.append((code(shown), plain(field.description or ""), default))
    return table(("argument or option", "meaning", "default"), rows)
