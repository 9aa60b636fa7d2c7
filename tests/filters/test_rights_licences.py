"""Licences: found where pages name them, with scope and place; named by SPDX; and one only where the page has one."""

from __future__ import annotations

import json
import time

import pytest
from lxml import html as lxml_html

from filters.extract import make_extractor
from filters.extract.libraries import page_metadata
from filters.rights.page import page_rights
from filters.rights.spdx import creative_commons, expression, family_of, named, one_of, spdx_licensing
from recipes.model import Extract

BY = "https://creativecommons.org/licenses/by/4.0/"


def hits(body: str, head: str = "") -> list[tuple[str | None, str, str, str]]:
    tree = lxml_html.fromstring(f"<html><head><title>t</title>{head}</head><body>{body}</body></html>")
    found = page_rights(tree)["license_hits"]
    return [(hit["url"] or hit["said"], hit["how"], hit["scope"], hit["place"]) for hit in found]


def test_every_place_is_looked_at() -> None:
    assert hits(f'<a rel="nofollow license" href="{BY}">x</a>') == [(BY, "rel-license", "page", "body")]
    assert hits(f'<footer><p>© <a href="{BY}">CC</a></p></footer>') == [(BY, "cc-link", "page", "footer")]
    assert hits("", f'<link rel="license" href="{BY}">') == [(BY, "link", "page", "head")]
    assert hits(f'<div><a rel="cc:license" href="{BY}">x</a></div>') == [(BY, "rdfa", "page", "body")]
    assert hits(f'<span property="dct:license" resource="{BY}"></span>') == [(BY, "rdfa", "page", "body")]
    assert hits(f'<span itemprop="license" content="{BY}"></span>') == [(BY, "microdata", "page", "body")]
    assert hits("", '<meta name="DCTERMS.rights" content="CC BY 4.0">') == [("CC BY 4.0", "meta", "page", "head")]
    said = (
        "This work is licensed under a <b>Creative Commons</b> Attribution-ShareAlike 4.0 International License. More."
    )
    assert hits(f'<div class="site-footer"><p>{said}</p></div>') == [
        ("Creative Commons Attribution-ShareAlike 4.0 International License", "text", "page", "footer")
    ]
    assert hits("<p>本作品采用知识共享署名 4.0 国际许可协议进行许可。</p>")[0][1] == "text"


def test_what_speaks_of_a_part_is_told_apart() -> None:
    assert hits(f'<figure><a rel="license" href="{BY}">x</a></figure>') == [(BY, "rel-license", "element", "body")]
    assert hits(f'<div about="/a.jpg"><a rel="license" href="{BY}">x</a></div>')[0][2] == "element"
    assert hits(f'<footer><ul><li><a rel="license" href="{BY}">x</a></li></ul></footer>')[0][2:] == ("page", "footer")
    ld = '<script type="application/ld+json">%s</script>'
    graph = {"@graph": [{"@type": "WebPage", "license": {"@id": BY}, "image": {"license": "/i"}}]}
    whole = ld % json.dumps(graph)
    assert hits("", whole) == [(BY, "json-ld", "page", "head"), ("/i", "json-ld", "element", "head")]
    assert hits("", ld % '{"@type": "ImageObject", "license": ["/i", 7, null]}') == [
        ("/i", "json-ld", "element", "head")
    ]


def test_a_link_in_running_text_licenses_no_page() -> None:
    assert hits(f'<p>See <a href="{BY}">CC BY</a>.</p>') == [(BY, "cc-link", "element", "body")]
    whole = f'<script type="application/ld+json; charset=utf-8">{json.dumps({"license": BY})}</script>'
    assert hits("", whole) == [(BY, "json-ld", "page", "head")]


@pytest.mark.parametrize(
    ("said", "spdx"),
    [
        ("Licensed under the Apache License, Version 2.0 (the &quot;License&quot;)", "Apache-2.0"),
        ("Released under the MIT License.", "MIT"),
        ("distributed under the terms of the GNU General Public License v3 or any later version", "GPL-3.0-or-later"),
        ("available under the 3-clause BSD license", "BSD-3-Clause"),
        ("本站代码采用 MIT License", "MIT"),
        ("本项目采用MIT许可证", "MIT"),
        ("This text is not free, but licensed under CC BY 4.0", "CC-BY-4.0"),
        ("Licensed under the Pepsi License", None),
        ("This work is not licensed under CC BY 4.0.", None),
        ("It isn’t available under the MIT License", None),
        ("本文未采用知识共享署名 4.0 协议", None),
    ],
)
def test_statements(said: str, spdx: str | None) -> None:
    found = hits(f"<footer><p>{said}</p></footer>")
    assert [one.spdx for hit in found if (one := named(None, hit[0]))] == ([spdx] if spdx else [])
    assert bool(found) == bool(spdx)


def test_what_names_no_licence_is_no_hit() -> None:
    for body in ('<a href="https://creativecommons.org/about">x</a>', "<p>licensed under the liquor act of 1920</p>",
                 '<a rel="license" href="javascript:alert(1)//creativecommons.org/licenses/by/4.0/">x</a>',
                 '<a href="https://evil.example/?u=creativecommons.org/licenses/by/4.0/">x</a>',
                 '<a href="/license">x</a>', '<script type="application/ld+json">{"license": </script>'):  # fmt: skip
        assert hits(body) == [], body


@pytest.mark.parametrize(
    "page",
    [
        "".join(f'<a rel="license" href="{BY}?{i}">x</a>' for i in range(20_000)),
        "<div>CC BY" * 20_000,
        '<div about="x">' * 5_000 + f'<a rel="license" href="{BY}">x</a>' * 2_000,
        '<script type="application/ld+json">' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "</script>",
        '<script type="application/ld+json">[' + '{"license": "/x"},' * 9_000 + "0]</script>",
        "<p>licensed under " + "creative commons " * 100_000,
    ],
)
def test_hostile_pages_end_soon(page: str) -> None:
    tree = lxml_html.fromstring(f"<html><body>{page}</body></html>", parser=lxml_html.HTMLParser(huge_tree=True))
    began = time.monotonic()
    found = page_rights(tree)["license_hits"]
    assert time.monotonic() - began < 10
    assert len(found) <= 50
    assert all(len(hit["url"] or hit["said"] or "") <= 500 for hit in found)


def test_names() -> None:
    urls = {
        BY: "CC-BY-4.0",
        "http://creativecommons.org/licenses/by-sa/3.0/de/deed.en": "CC-BY-SA-3.0-DE",
        "//creativecommons.org/licenses/by/3.0/deed.de": "CC-BY-3.0",
        "https://creativecommons.org/licenses/by-nc-nd/3.0/igo/": "CC-BY-NC-ND-3.0-IGO",
        "https://creativecommons.org/licenses/by/3.0/hk/": "LicenseRef-CC-BY-3.0-HK",
        "https://creativecommons.org/licenses/nd-nc/1.0/": "LicenseRef-CC-NC-ND-1.0",
        "https://creativecommons.org/publicdomain/zero/1.0/": "CC0-1.0",
        "https://creativecommons.org/publicdomain/mark/1.0/": "CC-PDM-1.0",
        "https://creativecommons.org/licenses/": None,
        "https://opensource.org/licenses/BSD-3-Clause": "BSD-3-Clause",
        "https://spdx.org/licenses/MIT.html": "MIT",
        "https://www.gnu.org/licenses/gpl-2.0.html": "GPL-2.0-only",
        "/terms": None,
        "https://evil.example/?u=creativecommons.org/licenses/by/4.0/": None,
        "https://evil.example/?u=https://spdx.org/licenses/MIT.html": None,
        "javascript:alert(1)//creativecommons.org/licenses/by/4.0/": None,
        "https://evilcreativecommons.org/licenses/by/4.0/": None,
        "https://en.wikipedia.org/wiki/Wikipedia:Text_of_the_Creative_Commons_Attribution-ShareAlike_4.0_International_License": "CC-BY-SA-4.0",
        "//zh.wikipedia.org/wiki/Wikipedia:CC_BY-SA_4.0协议文本": "CC-BY-SA-4.0",
    }
    assert {url: one.spdx if (one := named(url, None)) else None for url in urls} == urls
    said = {
        "Creative Commons Attribution-NonCommercial-ShareAlike 3.0 Unported License": "CC-BY-NC-SA-3.0",
        "CC BY-ND 4.0": "CC-BY-ND-4.0",
        "CC0": "CC0-1.0",
        "知识共享署名-非商业性使用 4.0": "CC-BY-NC-4.0",
        "Creative Commons": None,
        "(MIT OR Apache-2.0)": "MIT OR Apache-2.0",
        "All rights reserved": None,
        "not licensed under CC BY 4.0": None,
        "The MIT License": "MIT",
        "Mozilla Public License 2.0": "MPL-2.0",
        "the MIT License or the Apache License 2.0": None,
    }
    assert {text: one.spdx if (one := named(None, text)) else None for text in said} == said
    assert expression("GPL-2.0-or-later WITH Classpath-exception-2.0 */") is not None
    assert expression("Not-A-Licence-1.0") is None
    assert expression("(" * 5000) is None
    assert [family_of(i) for i in ("MIT", "GPL-3.0-only", "LGPL-2.1-only", "Nothing")] == [
        "permissive", "copyleft", "copyleft-limited", None,
    ]  # fmt: skip
    for one in ("CC-BY-4.0", "CC0-1.0", "CC-PDM-1.0"):
        assert one in spdx_licensing().known_symbols


def test_one_licence_or_none() -> None:
    by, sa, bare = (
        creative_commons("by", "4.0", None),
        creative_commons("by-sa", "4.0", None),
        creative_commons("by", None, None),
    )
    assert one_of([]) == (None, None)
    assert one_of([(by, "page"), (by, "page")]) == (by, False)
    assert one_of([(by, "page"), (bare, "page")]) == one_of([(bare, "page"), (by, "page")]) == (by, False)
    assert one_of([(bare, "page")]) == (bare, False)
    ported = creative_commons("by", "3.0", "hk")
    assert one_of([(creative_commons("by", "3.0", None), "page"), (ported, "page")]) == (ported, False)
    assert one_of([(bare, "page"), (sa, "page")]) == (None, True)  # BY is no BY-SA without its version
    assert one_of([(expression("MIT"), "page"), (expression("MIT-0"), "page")]) == (None, True)
    assert one_of([(by, "page"), (sa, "element")]) == (by, False)
    for unsure in ([(by, "page"), (sa, "page")], [(by, "element")], [(by, "page"), (None, "page")], [(None, "page")]):
        assert one_of(unsure) == (None, True)


def test_they_come_through_the_extractor() -> None:
    page = f"<html><body><p>{'Many words of an article. ' * 40}</p><a rel='license' href='{BY}'>CC</a></body></html>"
    for extractor in ("trafilatura", "resiliparse"):
        found = make_extractor(Extract.model_validate({"extractor": extractor})).extract(page)
        assert found.license == BY
        assert found.license_hits == [{"url": BY, "said": None, "how": "rel-license", "scope": "page", "place": "body"}]
    assert page_metadata(lxml_html.fromstring("<p>x</p>"))["license_hits"] == []
