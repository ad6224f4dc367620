"""Planted bugs: each replaces one part of the real thing by a broken one, and must be caught."""

from tests.simulation.mutations.arithmetic import ARITHMETIC
from tests.simulation.mutations.handlers import HANDLERS
from tests.simulation.mutations.kernel import KERNEL
from tests.simulation.mutations.outside import OUTSIDE

MUTATIONS = (*HANDLERS, *ARITHMETIC, *KERNEL, *OUTSIDE)
