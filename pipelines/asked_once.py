"""What Beam works out anew hundreds of times for one pipeline, kept: views of options, and state that functions hold.

To look at its options as another class, Beam makes a parser of arguments and parses them again, some 170 times a
pipeline; and it reads the signature of every method of a function whenever it wonders whether that keeps state. Both
answer the same each time: it was a fifth of the processor time of a run of few pages. Traded away: this puts its own in
place of two names of Beam's (the second is not documented), once, for the process that imports it.
"""

from __future__ import annotations

from functools import wraps
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms import userstate

Specs = tuple[frozenset[Any], frozenset[Any]]

_view_as, _get_dofn_specs = PipelineOptions.view_as, userstate.get_dofn_specs
_views: WeakKeyDictionary[PipelineOptions, dict[type, PipelineOptions]] = WeakKeyDictionary()
_specs: WeakKeyDictionary[type, dict[frozenset[str], Specs]] = WeakKeyDictionary()


@wraps(_view_as)
def view_as(options: PipelineOptions, cls: type[PipelineOptions]) -> PipelineOptions:
    """The view that was made before: all views of some options read and write the same values."""
    views = _views.setdefault(options, {})
    if cls not in views:
        views[cls] = _view_as(options, cls)
    return views[cls]


@wraps(_get_dofn_specs)
def get_dofn_specs(dofn: Any) -> tuple[set[Any], set[Any]]:
    """The state and timers of a function's class, but for methods that the function itself has others in place of."""
    own = vars(dofn)
    if any(isinstance(value, MethodType) for value in own.values()):  # read as well, and known to this one alone
        states, timers = _get_dofn_specs(dofn)
        return states, timers
    known = _specs.setdefault(type(dofn), {})
    key = frozenset(own)
    if key not in known:
        states, timers = _get_dofn_specs(dofn)
        known[key] = frozenset(states), frozenset(timers)
    return set(known[key][0]), set(known[key][1])


PipelineOptions.view_as = view_as
userstate.get_dofn_specs = get_dofn_specs
