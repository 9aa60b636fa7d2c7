"""What is done with personal data: an action for each kind, and how many of a kind a document may hold at all.

An action is taken on spans that were found beforehand, so choosing another costs no new scan. A limit is a rule
like any other: `drop_above` is only a short way to write one, and becomes one when the recipe is read, so that the
drop has its fate, its what-if and its place in the funnel.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from recipes.strict import Evidence, Strict

Action = Literal["placeholder", "pseudonym", "surrogate", "leave"]
MODEL_KINDS = ("person", "address")  # found by a trained model, and by nothing else
LABELS: dict[str, Literal["person", "address"]] = {  # of OntoNotes, WikiNER, and of pipelines made for addresses
    "PERSON": "person", "PER": "person", "ADDRESS": "address", "STREET_ADDRESS": "address", "STREET": "address",
}  # fmt: skip


class Scrub(Strict):
    """`policy`: kind of personal data -> action; kinds not named are left alone.

    `placeholder` puts the kind's name there (`<EMAIL>`); `pseudonym` adds a keyed hash of the value, so that equal
    values stay equal (`<EMAIL_QHZKWPNVTDRM>`) and nobody without the key can tell which; `surrogate` puts a made-up
    value of the same shape that cannot be anyone's; `leave` counts and changes nothing.

    `ner` is the folder of a trained spaCy pipeline, which alone finds the kinds `person` and `address`; `ner_labels`
    says which of its labels mean which, LABELS by default. `ner_sha256` is filled in when a run begins, or pins the
    model.
    """

    policy: dict[str, Action] = Field(default_factory=dict)
    ner: str | None = None
    ner_sha256: str | None = None
    ner_labels: dict[str, Literal["person", "address"]] | None = None
    evidence: Evidence = "A"
    source: str = ""
    note: str = ""

    @property
    def labels(self) -> dict[str, Literal["person", "address"]]:
        """Which labels of the model are names and which are addresses."""
        return LABELS if self.ner_labels is None else self.ner_labels


def with_limits(data: dict[str, Any]) -> dict[str, Any]:
    """A recipe's data with the rules that its `scrub.drop_above` (kind -> greatest count) stands for.

    >>> made = with_limits({"scrub": {"drop_above": {"us_ssn": 2}}, "steps": []})
    >>> made["scrub"], made["steps"][0]["id"], made["steps"][0]["signal"], made["steps"][0]["max"]
    ({}, 'pii.us_ssn.max.v1', 'pii_us_ssn', 2)
    """
    section = data.get("scrub")
    if not isinstance(section, dict) or "drop_above" not in section:
        return data
    if not isinstance(section["drop_above"], dict):
        raise ValueError("scrub.drop_above is a table, kind of personal data = greatest count: { us_ssn = 2 }")
    limits = section["drop_above"]
    for kind, most in limits.items():
        if not isinstance(most, int) or isinstance(most, bool) or most < 0:
            raise ValueError(f"scrub.drop_above.{kind} is {most!r}: give the greatest count allowed, 0 or more.")
    rest = {key: value for key, value in section.items() if key != "drop_above"}
    rules = [
        {
            "kind": "rule",
            "id": f"pii.{kind}.max.v1",
            "signal": f"pii_{kind}",
            "max": most,
            "evidence": section.get("evidence", "A"),
            "source": section.get("source", ""),
            "note": "scrub.drop_above",
        }
        for kind, most in limits.items()
    ]
    return {**data, "scrub": rest, "steps": [*data.get("steps", ()), *rules]}
