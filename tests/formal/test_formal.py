# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Proofs of the core and of the neuron; with each property, that a mistake in its cause breaks it."""

import pytest

from accel.errors import QCLIFError
from host.common.folders import ROOT
from tests.formal.models import Mutation
from tests.formal.properties import (
    BOUNDED,
    CLOCKS,
    CORES,
    MUTANT,
    NEURON_MUTATIONS,
    NEURON_STANDS_STILL,
    NEURONS,
    PROPERTIES,
)
from tests.formal.prover import always_low, breaks
from tests.formal.report import CHECKS, row
from tests.helpers.needs import needs_abc

# Proofs -------------------------------------------------------------------------------------------

@needs_abc
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_proof(check, tmp_path):
    assert check.holds(tmp_path)


@needs_abc
def test_every_assertion_is_told(tmp_path):
    """What core.sv asserts is what PROPERTIES has."""
    assert sorted(MUTANT.model(tmp_path, clocks=MUTANT.clocks).names) == sorted(PROPERTIES)

# Mutations ----------------------------------------------------------------------------------------

@needs_abc
@pytest.mark.parametrize("name", PROPERTIES)
def test_a_mistake_in_the_core_breaks_its_property(name, tmp_path):
    model = MUTANT.model(tmp_path, PROPERTIES[name].mutation, MUTANT.clocks if name == BOUNDED else None)
    assert breaks(model, name, CLOCKS) is not None


@needs_abc
def test_any_state_is_any(tmp_path):
    """A part without a reset is found in the first clock after one: the state before need not be reached."""
    core, = (core for core in CORES if not core.from_power_up and not core.registered)
    assert breaks(core.model(tmp_path, PROPERTIES["reset_is_idle"].mutation), "reset_is_idle", 2) == 1


@needs_abc
@pytest.mark.parametrize("core", [CORES[0], MUTANT], ids=lambda core: core.name)
def test_the_bound_of_clocks_is_exact(core, tmp_path):
    assert breaks(core.model(tmp_path, clocks=core.clocks - 1), BOUNDED, CLOCKS) is not None


@needs_abc
def test_a_name_that_is_gone_is_an_error(tmp_path):
    renamed = Mutation("walker", "active      = Signal()", 'active      = Signal(name="at_work")')
    with pytest.raises(QCLIFError, match=r"^Yosys .* fails on lanes\.ys"):
        MUTANT.model(tmp_path, renamed)
    assert "`\\walker_active'" in (tmp_path/"lanes.log").read_text().splitlines()[-1]


@needs_abc
@pytest.mark.parametrize("mutation", NEURON_MUTATIONS, ids=lambda mutation: mutation.new)
def test_a_mistake_in_the_neuron_differs_from_the_contract(mutation, tmp_path):
    assert not always_low(NEURONS[0].model(tmp_path, mutation), NEURONS[0].clocks)


@needs_abc
def test_a_register_without_ce_is_found(tmp_path):
    assert not NEURONS[0].stands_still(tmp_path, NEURON_STANDS_STILL)


@needs_abc
@pytest.mark.parametrize("clocks", [NEURONS[0].clocks - 1, NEURONS[0].clocks + 1])
def test_the_neuron_is_compared_after_its_latency(clocks, tmp_path):
    """Not before, where the first state is free; from then on always."""
    assert always_low(NEURONS[0].model(tmp_path), clocks) == (clocks >= NEURONS[0].clocks)

# README -------------------------------------------------------------------------------------------

def test_the_readme_has_what_is_proved():
    text = (ROOT/"accel"/"README.md").read_text()
    for check in CHECKS:
        assert row(check) in text
    for name, each in PROPERTIES.items():
        assert f"- `{name}`: {each.text}\n" in text
