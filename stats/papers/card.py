"""The data card, in English and in Chinese: what the dataset is, where it is from, what became of every document.

After Pushkarna et al. 2022, Data Cards (doi:10.1145/3531146.3533231). Both editions are made of the same figures; each
sentence stands here in both languages, side by side, so that one is not changed without the other.
"""

from __future__ import annotations

from stats.papers.bias import Changes
from stats.papers.card_people import People
from stats.papers.facts import Facts
from stats.papers.figures import Figures, Group
from stats.papers.names import language, stage_of
from stats.papers.page import Blank, Block, Cell, Grid, Heading, Items, Page, Share, Text

MOST_FATES = 60


def share(part: int, whole: int) -> Share:
    """A part of a whole; nothing of nothing has no share."""
    return Share(part / whole if whole else None)


class Card(People):
    """Sections of the card in one language."""

    def page(self) -> Page:
        """The whole card."""
        name = self.facts.dataset.name or self.figures.name
        sections = (self.summary, self.totals, self.collection, self.languages, self.domains, self.funnel, self.rules,
                    self.privacy, self.rights, self.bias, self.use, self.lineage)  # fmt: skip
        blocks = [block for section in sections for block in section()]
        return Page(self.say(f"Data card: {name}", f"数据卡：{name}"), self.say("en", "zh-CN"), blocks)

    def summary(self) -> list[Block]:
        """What it is, and what must be known first."""
        f, m = self.figures, self.figures.manifest
        told = self.say(
            f"{f.total.kept:,} documents with {m.totals.tokens:,} tokens ({m.totals.text_bytes:,} bytes of text), "
            f"curated from {f.records:,} crawled records by the recipe {m.recipe}. Every figure below is counted in "
            "the run's own tables. What the run cannot know is marked, and has to be stated by the person named.",
            f"本数据集含 {f.total.kept:,} 篇文档、{m.totals.tokens:,} 个词元（文本 {m.totals.text_bytes:,} 字节），"
            f"由配方 {m.recipe} 从 {f.records:,} 条抓取记录中整理而成。下列数字均由运行自身的数据表统计得出；"
            "运行无法得知的事项以醒目标记列出，由所注明的责任方填写。",
        )
        notices = [
            f.recipe.notice_zh or f.recipe.notice if self.zh else f.recipe.notice,
            *f.run.described.get("notices", ()),
        ]
        warned = [notice for notice in dict.fromkeys(notices) if notice]
        return [
            Text(told),
            *([Items(warned)] if warned else []),
            self.stated(("name", "名称", "dataset.name"), ("version", "版本", "dataset.version"),
                        ("description", "说明", "dataset.description"), ("provider", "提供者", "provider.name"),
                        ("contact", "联系方式", "provider.contact"),
                        ("licence of the whole", "整体许可证", "dataset.licence"),
                        ("released", "发布日期", "dataset.released")),
        ]  # fmt: skip

    def totals(self) -> list[Block]:
        """Sizes."""
        f, m = self.figures, self.figures.manifest
        rows: list[tuple[str, int | str]] = [
            (self.say("records read", "读取记录"), f.records),
            (self.say("documents extracted", "抽取出的文档"), f.total.documents),
            (self.say("documents kept", "保留文档"), f.total.kept),
            (self.say("bytes of kept text", "保留文本字节数"), f.total.bytes),
            (self.say("tokens", "词元数"), m.totals.tokens),
            (self.say("shards", "分片数"), len(m.shards)),
            (self.say("tokenizer", "分词器"), f"{m.tokenizer.name} ({m.tokenizer.vocab_size:,})"),
        ]
        return [Heading(self.say("Size", "规模")), Grid((self.say("what", "项目"), self.say("count", "数量")), rows)]

    def collection(self) -> list[Block]:
        """Sources and time."""
        f = self.figures
        span = (
            f"{f.months[0]} – {f.months[1]}" if f.months else self.say("the crawl says no time", "抓取记录未注明时间")
        )
        return [
            Heading(self.say("Where it is from", "来源")),
            Text(self.say(f"Months of collection of the kept pages: {span}.", f"保留网页的采集月份：{span}。")),
            Grid(self.header("source", "来源"), [self._sums(group) for group in f.sources]),
            self.stated(("crawlers", "爬虫", "collection.crawlers"), ("robots.txt", "robots.txt", "collection.robots"),
                        ("captchas", "验证码", "collection.captchas"), ("paywalls", "付费墙", "collection.paywalls"),
                        ("consent", "告知与同意", "collection.consent")),
        ]  # fmt: skip

    def _sums(self, group: Group) -> tuple[Cell, ...]:
        return (group.name, group.documents, group.kept, group.bytes, group.tokens,
                share(group.tokens, self.figures.total.tokens))  # fmt: skip

    def languages(self) -> list[Block]:
        """Languages, kept or not."""
        rows = [(language(g.name, self.zh), *self._sums(g)[1:]) for g in self.figures.languages[:40]]
        told = self.say("By lid.176, of the text as extracted.", "由 lid.176 对抽取文本判定。")
        return [Heading(self.say("Languages", "语言")), Text(told), Grid(self.header("language", "语言"), rows)]

    def domains(self) -> list[Block]:
        """The largest domains."""
        f = self.figures
        told = self.say(
            f"{f.domains:,} registrable domains have a kept page. The largest {len(f.top_domains)} are shown; "
            "top_domains.csv has all of them.",
            f"保留网页共来自 {f.domains:,} 个可注册域名。下表为其中最大的 {len(f.top_domains)} 个，"
            "全部见 top_domains.csv。",
        )
        return [Heading(self.say("Domains", "域名")), Text(told),
                Grid(self.header("domain", "域名"), [self._sums(g) for g in f.top_domains])]  # fmt: skip

    def funnel(self) -> list[Block]:
        """One fate for every record."""
        f = self.figures
        fates = [(f"rejected:{reason}", n) for reason, n in f.rejects.items()]
        rows = sorted([*f.fates.items(), *fates], key=lambda one: (one[0] != "kept", -one[1], one[0]))
        cells = [(stage_of(fate, self.zh), fate, n, share(n, f.records)) for fate, n in rows[:MOST_FATES]]
        header = (
            self.say("stage", "阶段"),
            "fate",
            self.say("records", "记录"),
            self.say("share of read", "占读取记录"),
        )
        told = self.say(
            f"{f.records:,} records were read; {f.skipped:,} are no pages by their type (warcinfo, request, metadata). "
            "Each of the others has one fate.",
            f"共读取 {f.records:,} 条记录，其中 {f.skipped:,} 条按类型不是网页（warcinfo、request、metadata）。"
            "其余每条记录有且只有一个去向。",
        )
        return [Heading(self.say("What became of every record", "每条记录的去向")), Text(told), Grid(header, cells)]

    def rules(self) -> list[Block]:
        """The recipe, its evidence and what it leaves out."""
        r = self.figures.recipe
        assumed, undone = (
            (r.assumptions_zh or r.assumptions, r.not_done_zh or r.not_done) if self.zh else (r.assumptions, r.not_done)
        )
        title = r.title_zh or r.title if self.zh else r.title
        blocks: list[Block] = [
            Heading(self.say("How it was curated", "整理方法")),
            Text(self.say(f"Recipe {r.name} ({title}), fidelity {r.fidelity}, {len(r.steps)} steps; hash "
                          f"{self.figures.manifest.recipe_hash}.",
                          f"配方 {r.name}（{title}），还原度 {r.fidelity}，共 {len(r.steps)} 步；摘要 "
                          f"{self.figures.manifest.recipe_hash}。")),
        ]  # fmt: skip
        for heading, items in ((self.say("Sources", "依据"), r.sources), (self.say("Assumed", "假设"), assumed),
                               (self.say("Published and not done", "原文有而未做"), undone)):  # fmt: skip
            if items:
                blocks += [Heading(heading, 3), Items(items)]
        return blocks

    def use(self) -> list[Block]:
        """What it is for, and who keeps it."""
        return [Heading(self.say("Use and upkeep", "用途与维护")),
                self.stated(("intended use", "预期用途", "dataset.intended_use"),
                            ("not to be used for", "不适用的用途", "dataset.out_of_scope"),
                            ("social impact", "社会影响", "dataset.social_impact"),
                            ("maintenance", "维护", "dataset.maintenance"),
                            ("citation", "引用", "dataset.citation"))]  # fmt: skip

    def lineage(self) -> list[Block]:
        """What it can be checked with."""
        f = self.figures
        rows: list[tuple[str, str | Blank]] = [
            (self.say("manifest, sha256", "清单 sha256"), f.manifest_sha256),
            (self.say("recipe, hash", "配方摘要"), f.manifest.recipe_hash),
            (self.say("code, digest", "代码摘要"), f.made_by),
            (self.say("replaces manifest", "所替换的清单"), f.manifest.parent or self.say("none", "无")),
        ]
        told = self.say(
            "`winnow verify` proves the counts and every hash again.", "`winnow verify` 可重新证明各项计数与哈希。"
        )
        return [Heading(self.say("Lineage", "沿革")), Text(told),
                Grid((self.say("what", "项目"), self.say("value", "值")), rows)]  # fmt: skip


def card(figures: Figures, facts: Facts, changes: Changes, zh: bool = False) -> Page:
    """The data card in one language."""
    return Card(figures, facts, changes, zh).page()
