"""How well personal data is found: precision, recall and F1 a kind, on labelled texts, beside Presidio and datatrove.

    python -m benchmarks.pii_quality [--folder DATA ...] [--presidio PYTHON] [--datatrove PYTHON] [--errors N]

A found span is right where it overlaps a labelled one of its type (`overlap`), or has its very ends (`exact`). Of the
labelled types only those are scored that a scanner without a language model can claim. Telephone numbers of
libphonenumber are put into a sentence: international ones as they are, national ones after a cue word and, apart,
without one. Peers run in environments of their own, on the same texts.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa

from filters.pii import KINDS, find, network

SHARED = Path(__file__).parents[2] / "shared" / "data"
PEERS = Path(__file__).with_name("peers")
PHONES = ("phone", "cn_mobile", "cn_landline", "hk_mobile", "tw_mobile")
MAIL = ("EMAIL", "EMAIL_ADDRESS")
CARDS = ("credit_card", "cn_bank_card")
LABELS = {
    "EMAIL_ADDRESS": ("email",), "EMAIL": ("email",), "IP_ADDRESS": ("ipv4", "ipv6"), "IP": ("ipv4", "ipv6"),
    "CREDIT_CARD": CARDS, "BANK_CARD": CARDS, "IBAN_CODE": ("iban",), "US_SSN": ("us_ssn", "us_itin"),
    "CN_ID": ("cn_id",),
    "CN_MOBILE": ("cn_mobile",), "CN_LANDLINE": ("cn_landline",), "PHONE_NUMBER": PHONES,
}  # fmt: skip
PRESIDIO = {
    "EMAIL": ("EMAIL_ADDRESS",),
    "IP": ("IP_ADDRESS",),
    "BANK_CARD": ("CREDIT_CARD",),
    "US_SSN": ("US_SSN", "US_ITIN"),
}
OWN = ("CN_ID", "CN_MOBILE", "CN_LANDLINE")  # what no peer tells apart  # fmt: skip
UNIT = {
    "EMAIL_ADDRESS": ("email",), "IP_ADDRESS": ("ipv4", "ipv6"), "CREDIT_CARD": CARDS, "CRYPTO": ("bitcoin",),
    "MAC_ADDRESS": ("mac",), "US_SSN": ("us_ssn",), "US_ITIN": ("us_itin",), "UK_NINO": ("uk_nino",),
    "IBAN_CODE": ("iban",),
    **dict.fromkeys(("PH_MOBILE_NUMBER", "TR_PHONE_NUMBER", "PHONE_NUMBER"), PHONES),
    **dict.fromkeys(("US_PASSPORT", "UK_PASSPORT", "ES_PASSPORT", "DE_PASSPORT", "KR_PASSPORT", "IN_PASSPORT",
    "IT_PASSPORT"),
                    ("passport",)),
    **dict.fromkeys(("UK_VEHICLE_REGISTRATION", "TR_LICENSE_PLATE", "DE_KFZ", "IN_VEHICLE_REGISTRATION",
                     "NG_VEHICLE_REGISTRATION"), ("plate",)),
    **dict.fromkeys(("FI_PERSONAL_IDENTITY_CODE", "TH_TNIN", "SE_PERSONNUMMER", "KR_RRN", "CA_SIN", "TR_NATIONAL_ID",
    "ES_NIE",
                     "ES_NIF", "ZA_ID_NUMBER", "SG_NRIC_FIN", "DE_SOCIAL_SECURITY", "DE_TAX_ID", "IN_AADHAAR",
                     "PL_PESEL", "IN_PAN",
                     "AU_MEDICARE", "AU_TFN", "UK_NHS", "IT_FISCAL_CODE"), ("national_id",)),
}  # fmt: skip
Spans = list[tuple[int, int, str]]
Finder = Callable[[list[str]], list[Spans]]


def winnow(texts: list[str]) -> list[Spans]:
    """Spans in characters, by kind."""
    found: list[Spans] = [[] for _ in texts]
    raw = [text.encode() for text in texts]
    for span in find(pa.array(texts, pa.large_string()), list(KINDS)).to_pylist():
        row, ends = span["row"], (span["start"], span["end"])
        start, end = (len(raw[row][:at].decode()) for at in ends)
        found[row].append((start, end, span["kind"]))
    return found


def peer(command: list[str]) -> Finder:
    """A finder that runs elsewhere."""

    def run(texts: list[str]) -> list[Spans]:
        given = "".join(f"{json.dumps(text)}\n" for text in texts)
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
        return [[tuple(span) for span in json.loads(line)] for line in done.stdout.splitlines()]

    return run


def rows(folders: list[Path], name: str) -> list[dict]:
    """Rows of a labelled set, of all folders that have it."""
    paths = [folder / f"pii_{name}.jsonl.gz" for folder in folders]
    return [json.loads(line) for p in paths if p.exists() for line in gzip.decompress(p.read_bytes()).splitlines()]


def scores(gold: list[Spans], found: list[Spans], label: str, names: Iterable[str]) -> list[float]:
    """Right, labelled and found spans of one label: precision and recall by overlap, by exact ends, and F1 of both."""
    counted: Counter[str] = Counter()
    for true, seen in zip(gold, found, strict=True):
        a = [s for s in true if s[2] == label]
        b = [s for s in seen if s[2] in names]
        counted["gold"] += len(a)
        counted["found"] += len(b)
        for kind, same in (("overlap", overlaps), ("exact", lambda x, y: x[:2] == y[:2])):
            counted[f"{kind} recalled"] += sum(any(same(x, y) for y in b) for x in a)
            counted[f"{kind} right"] += sum(any(same(x, y) for x in a) for y in b)
    out: list[float] = [counted["gold"], counted["found"]]
    for kind in ("overlap", "exact"):
        p = counted[f"{kind} right"] / counted["found"] if counted["found"] else float("nan")
        r = counted[f"{kind} recalled"] / counted["gold"] if counted["gold"] else float("nan")
        out += [p, r, 2 * p * r / (p + r) if p + r else 0.0]
    return out


def reserved(address: str) -> bool:
    """Whether an address is at a name that is kept for examples."""
    return network.reserved(address.rpartition("@")[2])


def overlaps(a: tuple[int, int, str], b: tuple[int, int, str]) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def spans_table(items: list[dict], name: str, finders: dict[str, Finder], errors: int) -> None:
    """Scores of all finders on texts with labelled spans, and how many texts without labels are touched."""
    texts, gold = [r["text"] for r in items], [[tuple(s) for s in r["spans"]] for r in items]
    kept_back = [
        [s for s in spans if s[2] in MAIL and reserved(t[s[0] : s[1]])] for t, spans in zip(texts, gold, strict=True)
    ]
    gold = [[s for s in spans if s not in left] for spans, left in zip(gold, kept_back, strict=True)]
    for spans in gold:
        spans += [(a, b, "PHONE_NUMBER") for a, b, label in spans if label in ("CN_MOBILE", "CN_LANDLINE")]
    labels = [label for label in LABELS if any(s[2] == label for spans in gold for s in spans)]
    print(f"\n| {name} | by | labelled | found | P | R | F1 | exact P | exact R | exact F1 |\n|---|---|{'---:|' * 8}")
    if any(kept_back):
        print(f"| e-mail at names of RFC 2606, not counted: {sum(map(len, kept_back))} | | | | | | | | | |")
    for who, finder in finders.items():
        found = [[s for s in spans if not any(overlaps(s, t) for t in left)]
                 for spans, left in zip(finder(texts), kept_back, strict=True)]  # fmt: skip
        for label in labels:
            names = LABELS[label] if who == "Winnow" else PRESIDIO.get(label, (label,))
            if who == "datatrove" and names[0] not in ("EMAIL_ADDRESS", "IP_ADDRESS"):
                continue
            if who != "Winnow" and label in OWN:
                continue
            cells = scores(gold, found, label, names)
            print(f"| {label} | {who} | {cells[0]} | {cells[1]} | {' | '.join(f'{c:.3f}' for c in cells[2:])} |")
            if errors and who == "Winnow":
                show(texts, gold, found, label, names, errors)
        empty = [k for k, spans in enumerate(gold) if not spans]
        print(
            f"| texts without labels: {len(empty)} | {who} | | {sum(bool(found[k]) for k in empty)} touched | | | | | "
            f"| |"
        )
        if errors and who == "Winnow":
            for k in [k for k in empty if found[k]][:errors]:
                print("    NEGATIVE", texts[k], [(texts[k][a:b], kind) for a, b, kind in found[k]])


def show(texts: list[str], gold: list[Spans], found: list[Spans], label: str, names: Iterable[str], most: int) -> None:
    """Some misses and false finds of one label."""
    shown: Counter[str] = Counter()
    for text, true, seen in zip(texts, gold, found, strict=True):
        a, b = [s for s in true if s[2] == label], [s for s in seen if s[2] in names]
        for s in a:
            if not any(overlaps(s, t) for t in b) and (shown.update(m=1) or shown["m"] <= most):
                print("    MISSED", repr(text[s[0] : s[1]]), "in", repr(text[max(0, s[0] - 40) : s[1] + 20]))
        for s in b:
            if not any(overlaps(s, t) for t in a) and (shown.update(f=1) or shown["f"] <= most):
                print("    FALSE", s[2], repr(text[s[0] : s[1]]), "in", repr(text[max(0, s[0] - 40) : s[1] + 20]))


def phones_table(items: list[dict], finders: dict[str, Finder], errors: int) -> None:
    """Share of libphonenumber's example numbers found whole, by how they are written."""
    valid, invalid = [r for r in items if r["valid"]], [r for r in items if not r["valid"]]
    forms = {
        "international": ["You may reach us on {} today.".format(r["international"]) for r in valid],
        "E.164": ["You may reach us on {} today.".format(r["e164"]) for r in valid],
        "national, after Tel:": ["Tel: {}, any day.".format(r["national"]) for r in valid],
        "national, after 电话：": ["电话：{}，谢谢。".format(r["national"]) for r in valid],
        "national, no cue": ["We have {} of it.".format(r["national"]) for r in valid],
        "not valid, international": ["You may have {} today.".format(r["international"]) for r in invalid],
    }
    print("\n| libphonenumber's examples | by | numbers | found whole | touched |\n|---|---|---:|---:|---:|")
    for form, texts in forms.items():
        for who, finder in finders.items():
            found, whole, touched = finder(texts) if texts and who != "datatrove" else [], 0, 0
            for row, text, spans in zip(invalid if form.startswith("not") else valid, texts, found, strict=False):
                number = row["national" if form.startswith("nat") else "e164" if form == "E.164" else "international"]
                start = text.find(number)
                names = PHONES if who == "Winnow" else ("PHONE_NUMBER",)
                hits = [s for s in spans if s[2] in names]
                whole += any(s[0] <= start + 1 and s[1] >= start + len(number) for s in hits)
                touched += bool(hits)
                if errors and who == "Winnow" and not hits and not form.startswith(("not", "national, no")):
                    print("    MISSED", row["region"], row["type"], text)
            if found:
                print(f"| {form} | {who} | {len(texts)} | {whole / len(texts):.3f} | {touched / len(texts):.3f} |")


def units_table(items: list[dict], errors: int) -> None:
    """Cases of Presidio's and datatrove's own tests: texts in which as many are found as expected."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    found = winnow([row["text"] for row in items])
    for row, spans in zip(items, found, strict=True):
        names = UNIT.get(row["entity"] or "")
        if names is None:
            continue
        hits, side = sum(s[2] in names for s in spans), "some" if row["n"] else "none"
        counted[row["entity"]][side] += 1
        counted[row["entity"]][f"{side} right"] += hits == row["n"]
        if errors and hits != row["n"]:
            print("    UNIT", row["entity"], row["n"], hits, repr(row["text"][:100]))
    print(
        "\n| entity of Presidio's tests | with some | as many found | with none | none found |\n|---|---:|---:|---:|"
        "---:|"
    )
    for entity, c in sorted(counted.items()):
        print(f"| {entity} | {c['some']} | {c['some right']} | {c['none']} | {c['none right']} |")


def numbers_table(items: list[dict], errors: int) -> None:
    """Numbers of companies and things: which are taken for a person's."""
    own = {"iban": ("iban",), "bitcoin": ("bitcoin",), "bic": ("swift",), "be.iban": ("iban",), "me.iban": ("iban",),
           "es.iban": ("iban",)}  # fmt: skip
    found = winnow([f"See {row['number']} for more." for row in items])
    touched = [(r, s) for r, s in zip(items, found, strict=True) if s and r["kind"] not in own]
    print(f"\nNumbers that are no person's: {sum(r['kind'] not in own for r in items)}, touched {len(touched)}.")
    for row, spans in touched[: errors or 0]:
        print("    TOUCHED", row["kind"], row["number"], spans)
    for kind, names in own.items():
        chosen = [(r, s) for r, s in zip(items, found, strict=True) if r["kind"] == kind]
        if chosen:
            right = sum(any(x[2] in names for x in s) == r["valid"] for r, s in chosen)
            print(f"{kind}: {right} of {len(chosen)} as their check digits say.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, nargs="*", default=[SHARED], help="folders of pii_*.jsonl.gz")
    parser.add_argument("--presidio", help="the Python of an environment with presidio-analyzer")
    parser.add_argument("--datatrove", help="the Python of an environment with datatrove")
    parser.add_argument("--errors", type=int, default=0, help="errors of Winnow to show for each label")
    args = parser.parse_args()
    finders: dict[str, Finder] = {"Winnow": winnow}
    for threshold in ("0", "0.5") if args.presidio else ():
        finders[f"Presidio, score {threshold}"] = peer([args.presidio, str(PEERS / "presidio_pii.py"), threshold])
    if args.datatrove:
        finders["datatrove"] = peer([args.datatrove, str(PEERS / "datatrove_pii.py")])
    spans_table(rows(args.folder, "spans"), "pii_spans", finders, args.errors)
    spans_table(rows(args.folder, "zh_synthetic"), "pii_zh_synthetic", finders, args.errors)
    phones_table(rows(args.folder, "phones"), finders, args.errors)
    units_table(rows(args.folder, "unit_cases"), args.errors)
    numbers_table(rows(args.folder, "id_numbers"), args.errors)


if __name__ == "__main__":
    sys.exit(main())
