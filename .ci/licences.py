"""Whether every installed package may be used beside code under Apache-2.0: by its own metadata, without network.

A permissive licence passes. Anything else (copyleft, a choice of licences, no statement) must be in EXPLAINED with the
reason why it is no trouble, or the check fails. What is told is what a package says of itself: its files are not read.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distributions

from license_expression import LicenseExpression, get_spdx_licensing

LICENSING = get_spdx_licensing()
PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python",
    "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU",
    "PSF-2.0", "Python-2.0", "Unicode-3.0", "Unlicense", "Zlib", "ZPL-2.1",
    "Apache-2.0 WITH LLVM-exception",
}  # fmt: skip
# Trove classifiers and loose spellings, for packages without an SPDX expression.
SPELLED = {
    "Apache": "Apache-2.0", "BSD": "BSD-3-Clause", "MIT": "MIT", "ISC": "ISC", "Python Software": "PSF-2.0",
    "PSF": "PSF-2.0", "Public Domain": "CC0-1.0", "3-Clause BSD": "BSD-3-Clause", "Zope": "ZPL-2.1",
    "The Unlicense": "Unlicense",
    "Historical Permission": "HPND", "CMU": "MIT-CMU", "Boost": "BSL-1.0", "zlib": "Zlib",
    "Mozilla Public License 2.0": "MPL-2.0",
}  # fmt: skip
FILES = "MPL covers its own files, which are used as they are and not shipped with Winnow."
EXPLAINED = {
    "certifi": f"MPL-2.0: {FILES}",
    "faust-cchardet": f"MPL-1.1 is one of the licences to choose from: {FILES}",
    "hypothesis": f"MPL-2.0: {FILES} Tests only.",
    "orjson": f"MPL-2.0 in part: {FILES}",
    "pathspec": f"MPL-2.0: {FILES}",
    "publicsuffixlist": f"MPL-2.0: {FILES}",
    "tld": f"MPL-1.1 is one of the licences to choose from: {FILES}",
    "tqdm": f"MPL-2.0 in part: {FILES}",
    "python-stdnum": "LGPL-2.1-or-later: imported as a library that anyone can replace, and not shipped with Winnow.",
    "text-unidecode": "The Artistic License is one of the licences to choose from; wanted by Prefect's slugs.",
    "atheris": "Says nothing in its metadata; its LICENSE file is Apache-2.0. Fuzzing only.",
    "mlcroissant": "Says nothing in its metadata; its repository, mlcommons/croissant, has Apache-2.0. Tests only.",
}


def stated(package: Distribution) -> str:
    """What a package says of its licence: an SPDX expression, else classifiers joined by OR, else its free text."""
    said = package.metadata
    if expression := said.get("License-Expression"):
        return str(expression)
    classifiers = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or [] if c.startswith("License :: OSI ")]
    return " OR ".join(classifiers) or ((said.get("License") or "").strip().splitlines() or [""])[0]


def permissive(text: str) -> bool:
    """Whether some choice that the statement leaves is wholly permissive."""
    try:
        return _passes(LICENSING.parse(text, validate=True))
    except Exception:  # noqa: BLE001 - no SPDX expression: looked up by its spelling
        parts = [part.strip() for part in re.split(r"\bOR\b", text) if part.strip()]
        known = [next((SPELLED[s] for s in SPELLED if s.lower() in part.lower()), None) for part in parts]
        return bool(known) and all(one in PERMISSIVE for one in known)


def _passes(found: LicenseExpression) -> bool:
    if str(found) in PERMISSIVE:
        return True
    kind, arguments = type(found).__name__, getattr(found, "args", ())
    if kind == "OR":
        return any(map(_passes, arguments))
    return kind == "AND" and all(map(_passes, arguments))


def main() -> int:
    """Print every package that needs a word; 1 if one has none."""
    wrong = 0
    for package in sorted(distributions(), key=lambda one: one.metadata["Name"].lower()):
        name, text = package.metadata["Name"], stated(package)
        if name == "winnow-corpus" or permissive(text):
            continue
        if name not in EXPLAINED:
            wrong += 1
            print(
                f"{name} {package.version}: {text or 'no licence stated'}. Leave it out, or explain it in {__file__}."
            )
        elif "--all" in sys.argv:
            print(f"{name} {package.version}: {text or 'no licence stated'}. {EXPLAINED[name]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
