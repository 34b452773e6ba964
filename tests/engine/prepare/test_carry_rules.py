from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ptfan.engine.errors import InputError
from ptfan.engine.prepare.carry_rules import SURE, CarryRules, sureness


@pytest.mark.parametrize(
    "wrong", [{"decay": 0.0}, {"blind": 1.1}, {"faint": 0.0}, {"faint": 1.0}, {"caution": -1.0}, {"settling": 1.0}]
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        CarryRules(**wrong)


def test_what_is_known_well_enough_is_no_guess() -> None:
    confidence = np.array([0.0, 0.5 / SURE, 1 / SURE, 1.0], np.float32)
    np.testing.assert_allclose(sureness(confidence), [0.0, 0.5, 1.0, 1.0], rtol=1e-6)


def test_what_is_left_of_confidence_falls_with_doubt_and_is_nothing_where_flow_is_not_valid() -> None:
    rules, valid = CarryRules(), np.array([True, True, False])
    kept = rules.kept(valid, np.array([0.0, 5.0, 0.0], np.float32))
    np.testing.assert_allclose(kept, [rules.decay, rules.decay * np.exp(-5 * rules.caution), 0.0], rtol=1e-6)
    np.testing.assert_allclose(rules.kept(valid, None), [rules.blind, rules.blind, 0.0], rtol=1e-6)
