"""The steps of an order that are tried again by themselves, and where an order stands while each is under way."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from models.order import OrderStatus
from models.status_facts import AVAILABLE_SUBORDERS
from models.suborder import SubOrderState


class Step(StrEnum):
    """What is tried again, for scripts."""

    VALIDATING = "validating"
    PLANNING = "planning"
    STAGING = "staging"
    SEALING = "sealing"
    DELIVERING = "delivering"
    REOPENING = "reopening"
    RELEASING = "releasing"
    RECORDING = "recording"


class StepFacts(NamedTuple):
    """Where an order, or the sub-order that the step is about, stands meanwhile; empty: anywhere.

    What is noted of a step is shown, and written, only there: an attempt that outlives its order's status is late.
    """

    statuses: frozenset[OrderStatus] = frozenset()
    suborders: frozenset[SubOrderState] = frozenset()


_PROVISIONING = frozenset({OrderStatus.PROVISIONING})
_VALIDATING = StepFacts(frozenset({OrderStatus.VALIDATING}))
_STAGING = StepFacts(_PROVISIONING, frozenset({SubOrderState.STAGING}))

STEP_FACTS: Mapping[Step, StepFacts] = MappingProxyType(
    {
        Step.VALIDATING: _VALIDATING,
        Step.PLANNING: _VALIDATING,
        Step.STAGING: _STAGING,
        Step.SEALING: _STAGING,
        Step.DELIVERING: StepFacts(_PROVISIONING, AVAILABLE_SUBORDERS),
        Step.REOPENING: StepFacts(),
        Step.RELEASING: StepFacts(),
        Step.RECORDING: StepFacts(),
    }
)

STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "validate_order": Step.VALIDATING,
        "plan_suborders": Step.PLANNING,
        "stage_files": Step.STAGING,
        "give_up_files": Step.STAGING,
        "publish_suborder": Step.SEALING,
        "deliver_suborder": Step.DELIVERING,
        "give_up_delivery": Step.DELIVERING,
        "reopen_files": Step.REOPENING,
        "release_suborders": Step.RELEASING,
        "open_order": Step.RECORDING,
        "open_suborders": Step.RECORDING,
        "record": Step.RECORDING,
        "tally": Step.RECORDING,
    }
)
"""The step that each activity of an order is a part of."""
