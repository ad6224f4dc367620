"""The checks of `ecommerce doctor`, gathered from the modules of `deploy/doctor/checks`.

Each declares its CHECKS, and under TAKES, by topic, what to remember of events that no other check reads.
"""

from pkgutil import iter_modules

from deploy.doctor import checks
from deploy.doctor.check import Check
from deploy.doctor.facts import Take
from schemas.domains import all_declared, declared

_MODULES = [f"{checks.__name__}.{found.name}" for found in iter_modules(checks.__path__)]

CHECKS: tuple[Check, ...] = tuple(check for name in _MODULES for check in declared(name, "CHECKS", tuple))

TAKES: dict[str, Take] = {
    topic: take for name in _MODULES for topic, take in all_declared(name, dict).get("TAKES", {}).items()
}
