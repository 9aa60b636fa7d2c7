"""The site: it builds, strictly and offline; the reference has all that the code has; a browser finds nothing to complain of."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from filters.catalogue import edit_names, kind_names, signal_docs
from recipes.load import available, load
from recipes.model import Recipe
from recipes.steps import Edit
from tests.docs.pages import REPO
from tests.stats.browser import watched


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a broken link or anchor, or a page that no menu leads to, fails it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    where = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=REPO, env=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_reference_has_every_command_and_option(site: Path) -> None:
    import typer

    from flows.cli import app
    from training.options import FLAGS, TrainOptions

    page = (site / "reference" / "commands.html").read_text("utf-8")
    groups = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, command in groups.items():
        for inner in getattr(command, "commands", {"": command}).values():
            assert f">winnow {name}" in page
            for option in inner.params:
                assert option.opts[0] == "--help" or not option.opts[0].startswith("-") or option.opts[0] in page
    for name in TrainOptions.model_fields:
        assert FLAGS.get(name, name).replace("_", "-") in page


def test_the_reference_has_every_signal_rule_view_key_and_recipe(site: Path) -> None:
    def page(name: str) -> str:
        return (site / "reference" / f"{name}.html").read_text("utf-8")

    signals, edits, rules, keys = page("signals"), page("edits"), page("rules"), page("recipe-keys")
    assert all(f"<code>{name}</code>" in signals for name in signal_docs())
    assert all(f"<code>{name}</code>" in edits for name in [*edit_names(), *kind_names()])
    for name in available():
        recipe = load(name)
        own = (site / "recipes" / f"{name}.html").read_text("utf-8")
        assert (site / "recipes" / f"{name}.zh-CN.html").is_file()
        assert all(f"<code>{step.id}</code>" in rules for step in recipe.steps if not isinstance(step, Edit))
        assert all(step.id in own for step in recipe.steps)
        assert recipe.fidelity in own
    schema = Recipe.model_json_schema()
    for model in [schema, *schema["$defs"].values()]:
        assert all(f"<code>{key}</code>" in keys for key in model.get("properties", {}))
    assert all(f">{view}<" in page("views") for view in ("documents", "fates", "failing", "tokens"))
    manifest = json.loads((REPO / "tokenization" / "manifest.schema.json").read_text())
    assert all(f"<code>{key}</code>" in page("manifest-schema") for key in manifest["properties"])


def test_a_browser_has_nothing_to_complain_of(site: Path, browser: Browser) -> None:
    """Both themes, wide and narrow, English and Chinese: no message, no request outside, no page wider than its window;
    search finds words of both languages."""
    handler = functools.partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_address[1]}/"
        for scheme, width in (("light", 1280), ("dark", 390)):
            options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
            for path, lang in (
                ("index.html", "en"),
                ("tutorial.zh-CN.html", "zh-CN"),
                ("reference/commands.html", "en"),
            ):
                one = watched(browser, **options)
                one.page.goto(home + path, wait_until="networkidle")
                assert one.page.evaluate("document.documentElement.lang") == lang
                assert (
                    one.page.evaluate("document.body.dataset.mdColorScheme")
                    == {"light": "default", "dark": "slate"}[scheme]
                )
                assert one.page.evaluate("document.documentElement.scrollWidth") <= width
                assert one.said == [] and all(url.startswith(home) for url in one.asked)
                one.page.close()
        for words, found in (("pseudonym", "personal-data.html"), ("去重", "zh-CN.html")):
            one = watched(browser)
            one.page.goto(home + "index.html", wait_until="networkidle")
            one.page.keyboard.press("/")
            one.page.keyboard.type(words)
            one.page.keyboard.press("End")  # what is typed by an input method ends with a key, too
            one.page.wait_for_selector(f".md-search-result__link[href*='{found}']", timeout=60_000)
            assert one.said == [] and all(url.startswith((home, f"blob:{home}")) for url in one.asked)
            one.page.close()
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """A server that writes nothing to the terminal."""

    def log_message(self, format: str, *args: object) -> None:
        return
