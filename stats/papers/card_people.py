"""The parts of the data card that are about people and rights: personal data, licences, bias, mentions.

Both languages of a sentence stand side by side, so that one is not changed without the other.
"""

from __future__ import annotations

from stats.papers.bias import Changes, group_name
from stats.papers.facts import Facts
from stats.papers.figures import Figures
from stats.papers.names import BY_NAMES, KIND_NAMES, POLICIES, language, stage_name
from stats.papers.page import Block, Grid, Heading, Items, Share, Text

MOST_RULES = 15


class Edition:
    """A document on a run in one language; `zh` chooses."""

    def __init__(self, figures: Figures, facts: Facts, changes: Changes, zh: bool) -> None:
        self.figures, self.facts, self.changes, self.zh = figures, facts, changes, zh

    def say(self, en: str, zh: str) -> str:
        """The edition's own text."""
        return zh if self.zh else en

    def header(self, en: str, zh: str) -> tuple[str, ...]:
        """The header of a table of sums."""
        return (self.say(en, zh), self.say("documents", "文档"), self.say("kept", "保留"), self.say("bytes", "字节"),
                self.say("tokens", "词元"), self.say("share of tokens", "词元占比"))  # fmt: skip

    def stated(self, *rows: tuple[str, str, str]) -> Grid:
        """Facts that people state: (English label, Chinese label, path)."""
        cells = [(self.say(en, zh), self.facts.said(path, self.zh)) for en, zh, path in rows]
        return Grid((self.say("fact", "事项"), self.say("stated", "内容")), cells)


class People(Edition):
    """Sections on people and rights."""

    def privacy(self) -> list[Block]:
        """Personal data found in kept texts."""
        f = self.figures
        rows = [
            (
                KIND_NAMES.get(kind, (kind, kind))[int(self.zh)],
                n,
                POLICIES.get(f.policy(kind), (f.policy(kind),) * 2)[int(self.zh)],
            )
            for kind, n in f.pii.items()
        ]
        told = self.say(
            "Found in kept documents by pattern and check digit: what was replaced stands in the text as the "
            "policy says, what was left stands there as it was. Names and addresses of people are looked for only if "
            "they are listed. This card holds no value of any of it.",
            "在保留文档中按规则与校验位检出：“已替换”者在文本中为占位符、化名或虚构值，“保留原文”者未改动。"
            "姓名、住址等仅在下表列出时才检测。本卡不含任何个人信息原值。",
        )
        header = (self.say("kind", "类别"), self.say("found", "检出"), self.say("policy", "处置"))
        return [Heading(self.say("Personal data", "个人信息")), Text(told), Grid(header, rows),
                self.stated(("legal basis", "法律依据", "legal.personal_data_basis"),
                            ("erasure", "删除渠道", "legal.erasure"))]  # fmt: skip

    def rights(self) -> list[Block]:
        """Licences and reservations that pages state."""
        f = self.figures
        rows = [(name, n, f.licensed_kept.get(name, 0)) for name, n in list(f.licences.items())[:20]]
        told = self.say(
            f"{f.reserved[0]:,} documents reserve themselves from machine learning (robots meta, X-Robots-Tag, "
            f"TDMRep); {f.reserved[1]:,} of them were kept. The licence is the first licence link of a page, as "
            "evidence and not as judgement.",
            f"{f.reserved[0]:,} 篇文档声明保留机器学习用途的权利（robots meta、X-Robots-Tag、TDMRep），"
            f"其中 {f.reserved[1]:,} 篇被保留。许可证为网页上第一个许可证链接，仅为证据而非判断。",
        )
        header = (self.say("licence link", "许可证链接"), self.say("documents", "文档"), self.say("kept", "保留"))
        return [Heading(self.say("Rights", "权利")), Text(told), Grid(header, rows),
                self.stated(("measures before collection", "采集前的措施", "legal.opt_out_measures"))]  # fmt: skip

    def bias(self) -> list[Block]:
        """Which groups' shares the curation changed."""
        alert = f"{self.changes.alert:.0%}"
        told = self.say(
            f"How the share of a group changed from one stage to the next, where by more than {alert} and not by "
            "chance. diversity.parquet has all groups and stages.",
            f"各组占比在相邻阶段间的变化：仅列变化超过 {alert} 且非偶然者。全部组与阶段见 diversity.parquet。",
        )
        blocks: list[Block] = [Heading(self.say("Diversity and bias", "多样性与偏差")), Text(told)]
        if effective := self.changes.effective:
            first, last = effective.get("documents") or 0.0, effective.get("kept") or 0.0
            blocks.append(Text(self.say(
                f"Effective number of domains (exp of entropy): {first:,.1f} before, {last:,.1f} after.",
                f"有效域名数（熵的指数）：整理前 {first:,.1f}，整理后 {last:,.1f}。",
            )))  # fmt: skip
        header = (self.say("by", "维度"), self.say("group", "组"), self.say("stage", "阶段"),
                  self.say("share before", "之前占比"), self.say("share after", "之后占比"))  # fmt: skip
        rows = [(self._by(by), group, stage_name(stage, self.zh), Share(before), Share(after))
                for by, group, stage, before, after in self.changes.rows]  # fmt: skip
        blocks += [Grid(header, rows)] if rows else [Text(self.say("None.", "无。"))]
        blocks += self.rules_that_change()
        known = self.facts.dataset.biases
        stated = Items(known) if known else self.stated(("known biases", "已知偏差", "dataset.biases"))
        return [*blocks, *self.mentions(), stated]

    def rules_that_change(self) -> list[Block]:
        """Rules that changed a group's share by more than the alarm."""
        if not self.changes.rules:
            return []
        header = (self.say("by", "维度"), self.say("group", "组"), self.say("rule", "规则"), self.say("came", "到达"),
                  self.say("dropped", "过滤"), self.say("change of the share", "占比变化"))  # fmt: skip
        rows = [(self._by(by), group, rule, came, dropped, f"{change:+.1%}")
                for by, group, rule, came, dropped, change in self.changes.rules[:MOST_RULES]]  # fmt: skip
        return [Heading(self.say("Rules that changed a share", "改变占比的规则"), 3), Grid(header, rows)]

    def _by(self, name: str) -> str:
        return BY_NAMES.get(name, (name, name))[int(self.zh)]

    def mentions(self) -> list[Block]:
        """Documents that mention a group of people, and how many of them stayed."""
        if not self.changes.mentions:
            return []
        told = self.say(
            "Documents that mention a group of people by an identity term, and the share of them that was kept, "
            "beside that of the other documents of the language. A mention says that a group is named, not how.",
            "以身份词提及某一群体的文档，及其保留率与同语言其余文档保留率的对比。“提及”仅表示出现该群体的名称，不表示态度。",
        )
        header = (self.say("language", "语言"), self.say("group", "群体"), self.say("documents", "文档"),
                  self.say("kept", "保留"), self.say("share kept", "保留率"),
                  self.say("others", "其余文档"))  # fmt: skip
        rows = [(language(lang, self.zh), group_name(group, self.zh), n, kept, Share(mine), Share(others))
                for lang, group, n, kept, mine, others in self.changes.mentions]  # fmt: skip
        return [Heading(self.say("Mentions", "群体提及"), 3), Text(told), Grid(header, rows)]
