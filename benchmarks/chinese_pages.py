"""Chinese pages decided by two recipes: ten that stay and ten that go, with the rule, the value and the bound.

python benchmarks/chinese_pages.py WORK CRAWL.warc.gz...

Pages with at least 60 Han characters go into a crawl of their own, which is run with `zh-en-general` and measured
for `chinesewebtext` too. docs/chinese.md was written from what this prints; page texts stay out of the repository.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.warcwriter import WARCWriter

from filters.charset import decode
from filters.rules import failing_threshold, failing_value, first_failing, with_verdicts
from flows.choices import checked
from recipes.resolve import resolve
from stats.run import Run, open_run

HAN = re.compile("[\u4e00-\u9fff]")
SHOWN = 10
PAGES = """
SELECT d.url, d.title, s.char_count, round(s.han_ratio, 2), f.rule, f.value, f.threshold, substr(d.text, 1, 160)
FROM (SELECT doc_id, ({rule}) AS rule, CAST(({value}) AS VARCHAR) AS value, ({threshold}) AS threshold
      FROM ({source})) f
JOIN documents d USING (doc_id) JOIN signals s USING (doc_id)
WHERE s.lang = 'zh' ORDER BY f.rule IS NOT NULL, f.rule, d.url
"""


def chinese(crawls: list[str], out: Path) -> int:
    """Copy the Chinese response records of the crawls; returns how many there are."""
    found = 0
    with out.open("wb") as sink:
        writer = WARCWriter(sink, gzip=True)
        for crawl in crawls:
            with Path(crawl).open("rb") as stream:
                for record in ArchiveIterator(stream, no_record_parse=True):
                    body = record.raw_stream.read()
                    page = decode(body.partition(b"\r\n\r\n")[2], None).text
                    if record.rec_type == "response" and len(HAN.findall(page)) >= 60:
                        headers = record.rec_headers
                        writer.write_record(
                            writer.create_warc_record(
                                headers.get_header("WARC-Target-URI"), "response", payload=io.BytesIO(body),
                                warc_headers_dict=dict(headers.headers),
                            )
                        )  # fmt: skip
                        found += 1
    return found


def show(run: Run, name: str) -> None:
    """Print the pages that stay and those that go under a recipe."""
    recipe = resolve(checked(name)).recipe
    query = PAGES.format(rule=first_failing(recipe), value=failing_value(recipe),
                         threshold=failing_threshold(recipe), source=with_verdicts(recipe))  # fmt: skip
    rows = run.rows(query)
    kept = [row for row in rows if row[4] is None]
    gone = [row for row in rows if row[4] is not None]
    print(f"\n## {name}: {len(rows)} Chinese documents, {len(kept)} pass, {len(gone)} do not")
    for title, some in (("stays", kept[:SHOWN]), ("goes", _spread(gone))):
        for url, heading, chars, han, rule, value, bound, text in some:
            why = f"{rule}: {value}, {bound}" if rule else "passes every rule"
            print(f"{title} | {url} | {heading} | {chars} | {han} | {why} | {' '.join((text or '').split())}")


def _spread(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Ten rows with as many different rules as there are."""
    seen: dict[object, int] = {}
    ranked = []
    for row in rows:
        seen[row[4]] = seen.get(row[4], 0) + 1
        ranked.append((seen[row[4]], row))
    return [row for _, row in sorted(ranked, key=lambda item: item[0])[:SHOWN]]


def main(work: str, crawls: list[str]) -> None:
    """Make the crawl, run it, print."""
    folder = Path(work)
    folder.mkdir(parents=True, exist_ok=True)
    print(chinese(crawls, folder / "chinese.warc.gz"), "records")
    command = [sys.executable, "-m", "flows.cli", "run", str(folder / "chinese.warc.gz"), "--recipe", "zh-en-general",
               "--measure-for", "chinesewebtext", "--out", str(folder / "run")]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open_run(folder / "run") as run:
        for name in ("zh-en-general", "chinesewebtext"):
            show(run, name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
