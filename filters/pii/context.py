"""The words around a candidate: cues that make a number personal, and names that make it something else.

Two sets of RE2 patterns are asked once for each candidate that needs it, over 64 bytes before and 32 after; all cue
classes come out of one pass. English and Chinese have the fullest lists.
"""

from __future__ import annotations

from functools import cache

import re2

BEFORE, AFTER = 64, 32
ID_WORD = r"(?:id|no|nr|number|code|card|#|num)"
NEAR = {
    "national": r"\b(?:national|personal|identity|identification|citizen|resident|civil|insurance|tax(?:payer)?)"
    r"[ -]{0,2}(?:id|ident\w*|no|nr|number|code|card)\b|\bid[ -]?(?:number|card)\b|documento de identidad|\bTIN\b|"
    r"\bpersonal code\b",
    "cn": r"身份证|身份證|证件号|公民身份|\bid (?:card|number)",
    "card": r"\bcards?\b|\bcc\b|\bcredit\b|\bdebit\b|\bvisa\b|\bmaster ?card|\bamex\b|american express|\bmaestro\b|"
    r"\bdiners\b|"
    r"\bdiscover\b|\bjcb\b|\bcvv|\bpayment|卡号|卡號|信用卡|银行卡|储蓄卡|借记卡|\bkarte|\btarjeta|\bcarte\b",
    "ssn": r"\bssn\b|social[ -]security|\bsoc(?:ial)?\.? sec|\bss ?#",
    "itin": r"\bitin\b|taxpayer|\btax[ -]?id",
    "nl": r"\bbsn\b|burgerservice|sofi", "pl": r"\bpesel\b", "br": r"\bcpf\b", "in": r"aadhaa?r|uidai|आधार",
    "epic": r"\bvoter|\bepic\b", "kr": r"주민|\brrn\b|resident registration", "fi": r"hetu\b|henkil",
    "se": r"personnummer|\bpnr\b|swedish", "no": r"f[øo]dselsnummer|personnummer|\bfnr\b", "dk": r"\bcpr\b",
    "be": r"rijksregister|registre national|\bniss\b|\bnrn\b", "ro": r"\bcnp\b|cod numeric",
    "tr": r"\btckn\b|kimlik|\bt\.?c\.? |turkish id",
    "za": r"south african id|\b(?:rsa|sa) id|permanent resident|refugee id",
    "tw": r"身[分份][證证]", "my": r"\bnric\b|mykad|kad pengenalan", "th": r"ประชาชน|thai id", "id": r"\bnik\b|\bktp\b",
    "jp": r"マイナンバー|個人番号|my ?number", "de": r"steuer-?id|\bidnr|identifikationsnummer|\btin\b|rvnr|"
    r"sozialversicher",
    "at": r"sozialversicherung|\bsvnr|versicherungsnummer", "ch": r"\bahv\b|\bavs\b", "bg": r"\begn\b|егн",
    "hr": r"\boib\b", "jmbg": r"\bjmbg\b|\bem[šs]o\b|матичен", "ee": r"isikukood|asmens kod", "lv": r"personas kod",
    "is": r"kennitala|\bkt\.", "gr": r"αμκα|\bamka\b", "il": r"תעודת|teudat|israeli id", "cl": r"\brut\b|\brun\b",
    "tfn": r"\btfn\b|tax file", "medicare": r"medicare", "ca": r"\bsin\b|\bnas\b|social insurance",
    "nino": r"\bnino\b|\bni n(?:o|umber)\b|national insurance", "nhs": r"\bnhs\b", "ie": r"\bpps",
    "ua": r"рнокпп|\bіпн\b|\bинн\b", "ru": r"\bинн\b", "pt": r"\bnif\b|contribuinte",
    "ec": r"c[ée]dula", "fr": r"s[ée]curit[ée] sociale|\bnir\b", "es": r"\bdni\b|\bnif\b",
    "hk": r"\bhk\b|hong ?kong|香港", "zh_phone": r"电话|電話|手机|手機|聯絡|联系|致電|致电|行動|號碼",
    "ip": r"\bip(?:v4|s)?\b|address|\bhosts?\b|server|\bdns\b|\bping|gateway|router|subnet|proxy|firewall|netmask|"
    r"network|"
    r"\bport\b|\bfrom\b|connect|://|地址|服务器|主机|域名|网关|代理|端口|访问",
    "versions": r"version|release|upgrad|changelog|版本|更新",
    "hash": r"\btx|transaction|\bhash|block|commit|contract|合约|合約|交易哈希",
}  # fmt: skip
# what stands before a number, with no other number between
PHONE = (
    r"\b(?:te?l|te?lf|phones?|ph|mob|telephone|call(?:ed|ing)?|fax|mobile|cell(?:ular)?|hotline|helpline|whatsapp|"
    r"contact|dial|"
    r"ring|sms|text (?:me|us|to)|reach|my number|desk|answering at|messages? to|tél|téléphone|tel[eé]fono|telefone|"
    r"telefon|telefoon|tlf|"
    r"telefonnummer|handy|mobil|celular|cep|gsm|puhelin|viber|signal:|telegram|tfno|m[oó]vil|portable|rufnummer|toll|"
    r"office|direct line|enquir(?:y|ies)|inquir(?:y|ies))\b|[☎☏📞📱✆]|телефон|тел|моб|τηλ|هاتف|تلفن|جوال|טלפון|전화|"
    r"휴대폰|"
    r"연락처|電話|携帯|โทร|फ़ोन|फोन|điện thoại|电话|手机|手機|联系|聯絡|聯繫|致电|致電|拨打|撥打|传真|傳真|热线|熱線|"
    r"來電|来电|"
    r"座机|座機|固话|短信|咨询|諮詢|预约|[([]T[)\]]"
)
# what stands directly before it
LAST = {
    "numbered": r"(?:\b(?:isbn(?:-1[03])?|issn|doi|isni|order|invoice|ticket|serial|tracking|item|part|sku|upc|ean|"
    r"gtin|asin|"
    r"imei|version|batch|lot|patent|docket|receipt|reference|ref|confirmation|booking|permit|licen[cs]e no|model|"
    r"article|artikel|bug|issue|commit|build|revision|pmid|pmcid|arxiv|orcid|zip|bestellnummer|rechnung|"
    r"rechnungsnummer|"
    r"auftrag|auftragsnummer|commande|pedido|factura)|订单号?|訂單|编号|編號|单号|單號|流水号?|型号|型號|版本号?|"
    r"序列号|"
    r"序號|批号|运单号?|快递号?|发票号?|工单号?|条码|条形码|货号|票号|批准文号|许可证号?|备案号?|商品号?|产品号?|[#№])"
    r" ?(?:number|no|nr|code|id|num|号码|号|编码|是|为|為)?\.? ?(?:[:：#=（(]|\[)? ?\n?$",
    "version": r"(?:\b(?:version|release[ds]?|firmware|build|kernel|driver|update[ds]?|upgrade[ds]?|ver|rev|section|"
    r"sec|"
    r"chapter|figure|fig|table|clause|article|rule|step|part|oid|v)|版本号?|章节?|节|第|§)\.?[:：]?[ "
    r"\x{A0}]{0,2}(?:to )?$|[a-z]/$",
    "phone": rf"(?:{PHONE})[^0-9\n]*\n?[^0-9\n]*$",
    "letter": r"(?:^|[^A-Za-z0-9.])[tmpfhw] ?[:：.] ?\(?$",
    "money": r"(?:[$€£¥￥₹]|\b(?:usd|eur|rmb|cny|gbp)) ?$",
}  # fmt: skip
TAIL = 48  # bytes before a number in which LAST is looked for


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive, options.max_mem = False, 64 << 20
    return options


@cache
def _set(near: bool) -> re2.Set:
    """The set of NEAR, or that of LAST, in their order."""
    one = re2.Set.SearchSet(_options())
    for pattern in (NEAR if near else LAST).values():
        one.Add(pattern)
    one.Compile()
    return one


NEAR_NAMES, LAST_NAMES = tuple(NEAR), tuple(LAST)
NONE: frozenset[str] = frozenset()


@cache
def _line_after() -> re2._Regexp:
    return re2.compile(
        r"(?i)[ \t\-]?[(\[（]?(?:mobile|cell|fax|office|home|work|desk|tel|phone|direct|whatsapp|手机|电话|传真|電話|"
        r"傳真)"
    )


def line_after(after: bytes) -> bool:
    """Whether a number is called a telephone's directly after it.

    >>> line_after(b" fax, or"), line_after(b" pieces")
    (True, False)
    """
    return _line_after().match(after) is not None


@cache
def _placeholder() -> re2._Regexp:
    return re2.compile(r"<[A-Z_]{2,20}>?|[A-Z_]{2,20}>")


def masked(window: bytes) -> bytes:
    """The window with placeholders, whole or cut, as digits: they stand where a value stood, and are no cue words.

    >>> masked(b"Tel: <PHONE> or")
    b'Tel: 0000000 or'
    """
    if b"<" not in window and b">" not in window:
        return window
    out = bytearray(window)
    for match in _placeholder().finditer(window):
        start, end = match.span()
        out[start:end] = b"0" * (end - start)
    return bytes(out)


def last_cues(before: bytes) -> frozenset[str]:
    """Names of the classes of LAST that `before` ends in.

    >>> sorted(last_cues("订单编号：".encode())), sorted(last_cues(b"Tel:")), sorted(last_cues(b"Tel: 1 or"))
    (['numbered'], ['phone'], [])
    """
    found = _set(False).Match(before[-TAIL:])
    return frozenset([LAST_NAMES[k] for k in found]) if found else NONE


def cues(before: bytes, after: bytes) -> frozenset[str]:
    """The same, and the classes of NEAR found in `before` or `after`.

    >>> sorted(cues(b"my SSN is ", b"."))
    ['ssn']
    """
    found = _set(True).Match(before + b" \n " + after)
    return last_cues(before).union(NEAR_NAMES[k] for k in found) if found else last_cues(before)
