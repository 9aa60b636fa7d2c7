"""The explorer's pages: Starlette serves fragments of HTML, htmx puts them in place.

One person, one run, one thread: endpoints do their work where they stand, so that nothing is asked of the engine by two
at once. Every crawled string goes through the template engine's escaping and `visible`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from filters.rules import SIGNS
from recipes.save import save_changes
from recipes.steps import Rule
from stats.explore.engine import Engine
from stats.explore.guard import Guard
from stats.explore.life import life, search
from stats.report import charts, words
from stats.report.strings import visible
from stats.report.write import stylesheet

STATIC = Path(__file__).parent / "static"
MOST_SENT = 10_000  # bytes of a form
FILE = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}\.toml")
Endpoint = Callable[[Request], Awaitable[Response]]


class Pages:
    """The endpoints over one engine; recipes are saved into `folder`."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder

    async def index(self, _: Request) -> Response:
        """The whole page, with the first rule that drops anything chosen."""
        first = self.engine.busiest
        return self._show("index.html.j2", rules=list(self.engine.placed), chosen=first, **self._rule(first))

    async def rule(self, request: Request) -> Response:
        """Another rule: its chart and its slider."""
        return self._show("rule.html.j2", **self._rule(request.query_params.get("rule", "")))

    async def move(self, request: Request) -> Response:
        """A threshold tried: what would be kept."""
        asked = request.query_params
        return self._show("answer.html.j2", **self._answer(asked.get("rule", ""), _value(asked)))

    async def examples(self, request: Request) -> Response:
        """Documents that change sides."""
        asked = request.query_params
        name = asked.get("rule", "")
        _, then = self.engine.answer(name, _value(asked))
        comes_in, goes_out = self.engine.examples(name, then)
        return self._show("examples.html.j2", comes_in=comes_in, goes_out=goes_out)

    async def set(self, request: Request) -> Response:
        """A threshold set for good."""
        form = await _form(request)
        name = form.get("rule", "")
        self.engine.set(name, _value(form))
        return self._show("rule.html.j2", **self._rule(name))

    async def reset(self, request: Request) -> Response:
        """All thresholds as the run had them."""
        self.engine.reset()
        return self._show("rule.html.j2", **self._rule((await _form(request)).get("rule", "")))

    async def save(self, request: Request) -> Response:
        """The thresholds that are set, as a recipe's file in the folder that the explorer was started in."""
        name = (await _form(request)).get("file", "")
        if not FILE.fullmatch(name):
            raise ValueError("Give a file's name of small letters, digits, dots and dashes, ending in .toml.")
        save_changes(self.engine.recipe, self.folder / name)
        return self._show("said.html.j2", said=f"{self.folder / name}")

    async def search(self, request: Request) -> Response:
        """Records by URL or id."""
        asked = request.query_params.get("q", "").strip()[:2000]
        return self._show("found.html.j2", found=search(self.engine.run, asked) if asked else [], asked=asked)

    async def document(self, request: Request) -> Response:
        """One record's life."""
        return self._show("life.html.j2", life=life(self.engine.run, request.path_params["doc_id"]))

    def _rule(self, name: str) -> dict[str, object]:
        rule = self.engine.rule(name)
        languages = list(rule.threshold) if isinstance(rule.threshold, dict) else []
        lang = next((one for one in self.engine.names if one in languages), "")
        value = _written(rule, lang)
        bars = self.engine.bars(name)
        slider = (bars[0].low, bars[-1].high) if bars else None
        shown = self._answer(name, f"{lang}:{value}" if lang else value)
        own = {"lang": lang, "sign": SIGNS[rule.bound], "languages": languages, "value": value, "slider": slider}
        return {**shown, **own}

    def _answer(self, name: str, value: str) -> dict[str, object]:
        answer, _ = self.engine.answer(name, value)
        moved = next(step for step in self.engine.moved(name, value).steps if step.id == name)
        return {"rule": moved, "name": name, "asked": value, "answer": answer, "chart": self._chart(moved),
                "changes": self.engine.changes, "notices": self.engine.notices}  # fmt: skip

    def _chart(self, step: object) -> Markup:
        if not isinstance(step, Rule) or not (bars := self.engine.bars(step.id)):
            return Markup("")
        bound = step.threshold
        lines = {k: v for k, v in bound.items() if k in self.engine.names} if isinstance(bound, dict) else {"": bound}
        return charts.histogram(bars, {k: float(v) for k, v in list(lines.items())[:6]}, step.id)  # type: ignore[arg-type]

    @staticmethod
    def _show(template: str, **given: object) -> Response:
        return HTMLResponse(environment().get_template(template).render(given))


async def _form(request: Request) -> dict[str, str]:
    """Fields of a small form as htmx sends it."""
    sent = b""
    async for chunk in request.stream():
        sent += chunk
        if len(sent) > MOST_SENT:
            raise ValueError("That is more than a form of this page has.")
    return dict(parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True))


def _value(asked: Mapping[str, str]) -> str:
    """The threshold that a form asks for, of one language where it names one."""
    value, lang = asked.get("value", "")[:500], asked.get("lang", "")[:20]
    return f"{lang}:{value}" if lang and ":" not in value else value


def _written(rule: Rule, lang: str) -> str:
    bound = rule.threshold
    if isinstance(bound, dict):
        return f"{bound[lang]:g}" if lang else ""
    if isinstance(bound, tuple):
        return ",".join(bound)
    return f"{bound:g}" if isinstance(bound, float) and not isinstance(bound, bool) else str(bound).lower()


@cache
def environment() -> Environment:
    """The explorer's templates, with the report's filters; all is escaped."""
    loader = ChoiceLoader([PackageLoader("stats", "explore/templates"), PackageLoader("stats", "report")])
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["say"] = words.say
    for name in ("count", "percent", "size", "language", "signal"):
        made.filters[name] = getattr(words, name)
    made.filters |= {"visible": visible, "lines": lambda text: Markup("\n").join(map(visible, str(text).split("\n")))}
    return made


def application(engine: Engine, token: str, port: int, folder: Path) -> Starlette:
    """The guarded app; every path begins with the token."""
    pages = Pages(engine, folder)
    gets = {"/": pages.index, "/rule": pages.rule, "/move": pages.move, "/examples": pages.examples,
            "/static/report.css": _style, "/search": pages.search, "/document/{doc_id}": pages.document}  # fmt: skip
    posts = {"/set": pages.set, "/reset": pages.reset, "/save": pages.save}
    routes = [Route(path, end) for path, end in gets.items()]
    routes += [Route(path, end, methods=["POST"]) for path, end in posts.items()]
    inside = Mount(f"/{token}", routes=[*routes, Mount("/static", StaticFiles(directory=STATIC))])
    return Starlette(routes=[inside], middleware=[Middleware(Guard, token=token, port=port)],
                     exception_handlers={ValueError: _told, FileNotFoundError: _told})  # fmt: skip


async def _style(_: Request) -> Response:
    return Response(stylesheet(), media_type="text/css")


async def _told(_: Request, error: Exception) -> Response:
    """A fault in its own sentence, where the answer would stand."""
    return HTMLResponse(environment().get_template("fault.html.j2").render(fault=str(error)))
