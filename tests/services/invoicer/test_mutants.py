"""The small wrongs of `make prove-invoicer-mutants` can still be put in: the rules move on."""

import importlib
import inspect

from tests.services.invoicer.mutants import MUTANTS


def test_each_mutant_is_of_a_line_that_stands_once_in_its_module() -> None:
    sources = {
        name: inspect.getsource(importlib.import_module(name))
        for name in {mutant.module for mutant in MUTANTS}
    }
    assert [m for m in MUTANTS if sources[m.module].count(m.before) != 1] == []
    assert [m for m in MUTANTS if m.before == m.after] == []
