"""What MkDocs asks while it builds the site: pages made from the code, and each page in its own language.

Generated pages are never written into docs/: MkDocs 1.6 takes their text from memory. Pages of people who write a
deployment's notes may come and go, so a nav entry in OPTIONAL is used if its file is there. Traded away: no plug-in for
translations, since a page's language is in its name (`.zh-CN.md`) and two lines here say the rest.
"""

from __future__ import annotations

import atexit
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the checkout's code, not an installed one

from docs.generate.command_pages import command_page  # noqa: E402
from docs.generate.home_pages import home_pages  # noqa: E402
from docs.generate.measure_pages import edit_page, rule_page, signal_page  # noqa: E402
from docs.generate.message_pages import message_page  # noqa: E402
from docs.generate.recipe_pages import recipe_pages  # noqa: E402
from docs.generate.schema_pages import manifest_page, recipe_key_page, view_page  # noqa: E402

ZH = ".zh-CN"
ALONE = "chinese.md"  # a page that is in Chinese alone
TERMS = ("去重", "词元", "分片", "分块", "配方", "阈值", "语料", "去污染", "脱敏", "溯源")  # or search would cut them
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
BROKEN = re.compile(r"(?<=[\u3001-\u303f\u4e00-\u9fff\uff00-\uffef”])\n(?=[\u3001-\u303f\u4e00-\u9fff\uff00-\uffef“])")
ALTERNATE = re.compile(r'<link rel="alternate"[^>]*>')
OPTIONAL = {
    "Operations": "operations.md",
    "Faults": "faults.md",
    "Object storage": "object-storage.md",
    "Security": "security.md",
}


def generated() -> dict[str, str]:
    """Every page that is made from the code or from files beside docs/: its path under docs/, and its Markdown."""
    return {
        **home_pages(ROOT),
        **recipe_pages(),
        "reference/commands.md": command_page(),
        "reference/recipe-keys.md": recipe_key_page(),
        "reference/signals.md": signal_page(),
        "reference/edits.md": edit_page(),
        "reference/rules.md": rule_page(),
        "reference/views.md": view_page(),
        "reference/messages.md": message_page(),
        "reference/manifest-schema.md": manifest_page(),
    }


def on_config(config: Any) -> Any:
    """The nav with what is there, and jieba's cache where nobody else can have written it."""
    import jieba

    jieba.setLogLevel("WARNING")
    jieba.dt.tmp_dir = tempfile.mkdtemp(prefix="winnow-docs-")
    atexit.register(shutil.rmtree, jieba.dt.tmp_dir, ignore_errors=True)
    for term in TERMS:
        jieba.add_word(term)
    config.nav = [_filled(entry, Path(config.docs_dir)) for entry in config.nav]
    return config


def _filled(entry: Any, docs: Path) -> Any:
    """A nav entry with the recipes' pages in the place of their patterns, and with the optional pages."""
    if not isinstance(entry, dict):
        return entry
    ((title, pages),) = entry.items()
    if not isinstance(pages, list):
        return entry
    if title == "Tasks":
        pages = pages + [{name: file} for name, file in OPTIONAL.items() if (docs / file).is_file()]
    made: list[Any] = []
    for page in pages:
        if page in ("recipes/*", "recipes/*.zh-CN"):
            zh = page.endswith(ZH)
            made += [{_name(path): path} for path in sorted(recipe_pages()) if (ZH in path) == zh]
        else:
            made.append(page)
    return {title: made}


def _name(path: str) -> str:
    return Path(path).name.removesuffix(".md").removesuffix(ZH)


def on_files(files: Files, config: Any) -> Files:
    """The pages of people, and those that are made."""
    for path, text in generated().items():
        files.append(File.generated(config, path, content=text, inclusion=InclusionLevel.INCLUDED))
    return files


def on_page_context(context: Any, page: Any, config: Any, nav: Any) -> Any:
    """The language switch of a page: to the same page in the other language if there is one, else to its front page."""
    path = page.file.src_uri
    zh = chinese(page)
    base = path.replace(ZH, "")
    wanted = {"en": base if base != ALONE else "index.md", "zh-CN": base.replace(".md", f"{ZH}.md")}
    pages = {one.file.src_uri: one.file for one in nav.pages}
    links = []
    for lang, name in (("en", "English"), ("zh-CN", "中文")):
        own = path if (lang == "zh-CN") == zh else wanted[lang]
        target = pages.get(own) or pages["index.md" if lang == "en" else f"index{ZH}.md"]
        links.append({"name": name, "lang": lang, "link": target.url})
    config.extra["alternate"] = links
    return context


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """A Chinese paragraph without the blanks that line ends would become between its characters."""
    if not chinese(page):
        return markdown
    parts = FENCED.split(markdown)  # text and fenced blocks by turns
    return "".join(part if at % 2 else BROKEN.sub("", part) for at, part in enumerate(parts))


def on_post_page(output: str, page: Any, config: Any) -> str:
    """A Chinese page says that it is one, so that browsers choose its fonts and screen readers its voice. The theme's
    `<link rel=alternate>` goes: for each its script would ask for a sitemap in the page's own folder."""
    output = ALTERNATE.sub("", output)
    return output.replace('<html lang="en"', '<html lang="zh-CN"', 1) if chinese(page) else output


def chinese(page: Any) -> bool:
    """Whether a page is written in Chinese."""
    return ZH in page.file.src_uri or page.file.src_uri == ALONE
