"""What is kept of Beam's answers is what Beam answers: views share their values, and no function gets another's state."""

from __future__ import annotations

from functools import partial
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import StrUtf8Coder
from apache_beam.options.pipeline_options import DebugOptions, DirectOptions, PipelineOptions
from apache_beam.transforms import userstate

from pipelines import asked_once
from pipelines.options import beam_options

STATE = userstate.BagStateSpec("seen", StrUtf8Coder())
STATEFUL = beam.DoFn.StateParam(STATE)


class Plain(beam.DoFn):  # type: ignore[misc]
    def process(self, element: Any) -> Any:
        yield element


class Stateful(beam.DoFn):  # type: ignore[misc]
    def process(self, element: Any, seen: Any = STATEFUL) -> Any:
        yield element


class Given(beam.DoFn):  # type: ignore[misc]
    """Has another's method in place of its own."""

    def __init__(self, of: beam.DoFn) -> None:
        self.process = of.process


def test_views_of_the_same_options_are_made_once_and_share_their_values() -> None:
    options = beam_options(3)
    view = options.view_as(DirectOptions)
    assert options.view_as(DirectOptions) is view
    view.direct_num_workers = 5
    assert options.view_as(DirectOptions).direct_num_workers == 5
    assert options.view_as(PipelineOptions).view_as(DirectOptions).direct_num_workers == 5
    assert beam_options(3).view_as(DirectOptions).direct_num_workers == 3


def test_a_list_of_one_pipeline_is_not_that_of_another() -> None:
    one, other = PipelineOptions(["--experiments=a"]), PipelineOptions(["--experiments=a"])
    one.view_as(DebugOptions).add_experiment("b")
    assert one.view_as(DebugOptions).experiments == ["a", "b"]
    assert other.view_as(DebugOptions).experiments == ["a"]


@pytest.mark.parametrize(
    "make",
    [Plain, Stateful, partial(Given, Plain()), partial(Given, Stateful()), partial(beam.DoFn.from_callable, len)],
)
def test_the_state_of_a_function_is_what_beam_reads(make: Any) -> None:
    for _ in range(2):
        assert userstate.get_dofn_specs(make()) == asked_once._get_dofn_specs(make())
    assert userstate.get_dofn_specs is asked_once.get_dofn_specs


def test_the_answer_can_be_changed_and_stays_what_it_was() -> None:
    userstate.get_dofn_specs(Stateful())[0].clear()
    assert userstate.get_dofn_specs(Stateful()) == ({STATE}, set())
    assert userstate.get_dofn_specs(Given(Stateful()))[0] == {STATE}
