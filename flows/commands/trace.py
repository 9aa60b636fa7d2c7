"""`winnow trace` and `winnow versions`: where a token came from, where a page went, and what versions there are."""

from __future__ import annotations

import dataclasses
import json as jsons
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows import settings
from flows.commands.terminal import console

if TYPE_CHECKING:
    from stats.trace import Trace

MANIFEST = typer.Argument(help="A manifest.json, or a later version of one.", metavar="MANIFEST")
START = 400  # characters of a payload that are shown


def trace(
    manifest: Annotated[Path, MANIFEST],
    shard: Annotated[int | None, typer.Option(min=0, help="The shard's number in the manifest, from 0.")] = None,
    token: Annotated[int | None, typer.Option(min=0, help="The token's number in the shard, from 0.")] = None,
    url: Annotated[str | None, typer.Option(help="The other way: where this page went.")] = None,
    doc: Annotated[str | None, typer.Option(help="The other way, by doc_id.")] = None,
    steps: Annotated[
        Path | None, typer.Option(help="A training's --out: which steps saw it.", metavar="CHECKPOINT")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Read the record of the crawl again and show it.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """From a token to the bytes of the crawl it came from, or from a page to its tokens and training steps."""
    settings.apply()
    from stats.trace import text_of, trace_page, trace_token, training_of

    by_token = shard is not None and token is not None
    if by_token + (url is not None) + (doc is not None) != 1 or (shard is None) != (token is None):
        raise ValueError("Say what to trace: --shard with --token, or --url, or --doc.")
    if shard is not None and token is not None:
        found = [trace_token(manifest, shard, token)]
    else:
        found = trace_page(manifest, url or doc or "")
    for one in found:
        if steps is not None and one.place is not None:
            one = dataclasses.replace(one, training=training_of(manifest, steps, one.place))
        shown = _record(manifest.parent, one) if record else None
        if json:
            print(jsons.dumps({**one.as_dict(), **({"record": shown} if shown else {})}, ensure_ascii=True))
            continue
        console.print(escape(text_of(one)), soft_wrap=True, highlight=False)
        for name, value in (shown or {}).items():
            console.print(escape(f"  {name}: {value}"), soft_wrap=True, highlight=False)


def _record(folder: Path, found: Trace) -> dict[str, str]:
    """What the crawl holds of the page: headers, and the start of the payload, harmless."""
    from filters.charset import decode
    from pipelines.refetch import refetch
    from pipelines.run import load
    from pipelines.sources import Reject
    from stats.show import harmless, safe

    if (page := found.page) is None:
        return {}
    item = refetch(load(str(folder))["parts"], page.doc_id, page.source, page.offset, page.length)
    if isinstance(item, Reject):
        return {"record": f"{item.reason}: {safe(item.detail)}"}
    text = item.text if item.text is not None else decode(item.payload[: 8 * START], item.charset_header).text
    told = {"record": f"{safe(item.source)} at {item.offset}, crawled {safe(item.crawled) or '(no date)'}"}
    told |= {f"header {safe(name)}": safe(value) for name, value in item.http_headers}
    told["payload"] = f"{len(item.payload) or len((item.text or '').encode()):,} bytes, which begin with"
    return {**told, "payload begins": harmless(" ".join(text.split())[:START])}


def versions(
    manifest: Annotated[Path, typer.Argument(help="A manifest, or the folder it lies in.", metavar="MANIFEST")],
    format: Annotated[str, typer.Option(help="table, csv, json; piped also arrow, parquet.")] = "table",
) -> None:
    """The versions of a manifest: documents and tokens of each, and the request that each obeys."""
    from stats.show import write
    from stats.versions import versions as find

    write(find(manifest if manifest.is_dir() else manifest.parent), format, console)
