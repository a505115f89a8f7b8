"""Every setting of every service, with its default, type and meaning: for the settings page.

The services' settings are found by name, as migrations are: nothing here depends on a service.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from runtime.settings import SERVICES, WorkerSettings

OF_COMMANDS: Final = frozenset({"ONACCOUNT_POSTGRES_ADMIN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One environment variable. `services` are those that read it; `default` None: required."""

    name: str
    type: str
    default: str | None
    meaning: str
    services: tuple[str, ...]


def settings() -> list[Setting]:
    """All settings: those that every worker has first, then each service's own, by name."""
    found: dict[str, Setting] = {}
    for service in SERVICES:
        model = _model(service)
        for field, info in model.model_fields.items():
            name = _variable(model, field)
            known = found.get(name)
            found[name] = Setting(
                name=name,
                type=_type(info),
                default=_default(info),
                meaning=info.description or "",
                services=(*known.services, service) if known else (service,),
            )
    return sorted(found.values(), key=lambda one: (len(one.services) == 1, one.services, one.name))


def unknown(environment: Iterable[str]) -> list[str]:
    """Names of ours that no service and no command reads: misspelt, or of another version.

    A worker says so and goes on: its surroundings may be shared with other programs.
    """
    left = {name for name in environment if name.startswith("ONACCOUNT_")} - OF_COMMANDS
    # No further than needed, and the importer last: what its settings load takes a while.
    for service in sorted(SERVICES, key="importer".__eq__):
        if left:
            model = _model(service)
            left -= {_variable(model, field) for field in model.model_fields}
    return sorted(left)


def _model(service: str) -> type[WorkerSettings]:
    try:
        module = importlib.import_module(f"services.{service}.settings")
    except ModuleNotFoundError:
        return type(f"{service.title()}Settings", (WorkerSettings,), {"service": service})
    for _, one in inspect.getmembers(module, inspect.isclass):
        if issubclass(one, WorkerSettings) and one.service == service:
            return one
    raise LookupError(f"services.{service}.settings has no WorkerSettings of {service}")


def _variable(model: type[WorkerSettings], field: str) -> str:
    if field == "postgres":
        return f"ONACCOUNT_POSTGRES_{model.service.upper()}"
    return f"{model.model_config.get('env_prefix', '')}{field}".upper()


def _type(info: FieldInfo) -> str:
    hint: Any = info.annotation
    options = getattr(hint, "__args__", ())
    if options and all(isinstance(one, str) for one in options):
        return " | ".join(options)
    names = [_name(one) for one in options or (hint,) if one is not type(None)]
    return " | ".join(dict.fromkeys(names))


def _name(hint: Any) -> str:
    if hint is SecretStr:
        return "secret"
    return {"str": "text", "int": "integer", "float": "number", "bool": "yes or no"}.get(
        getattr(hint, "__name__", ""), getattr(hint, "__name__", str(hint))
    )


def _default(info: FieldInfo) -> str | None:
    default = info.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        return None
    return "" if default is None else str(default)
