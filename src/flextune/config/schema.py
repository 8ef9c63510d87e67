"""The JSON schema of an experiment file, for editors."""

from __future__ import annotations

import copy
from typing import Any

from flextune.config.arms import NOT_OF_AN_ARM
from flextune.config.experiment import Experiment
from flextune.config.sections.penalty import PenaltyConfig
from flextune.registry import OPTIMIZERS, PENALTIES


def schema() -> dict[str, Any]:
    """JSON schema of an experiment file: every key with its description, inside arms too."""
    document = Experiment.model_json_schema()
    definitions = document.setdefault("$defs", {})
    _add_choice(definitions, document["properties"], "optimizer", list(OPTIMIZERS.entries().values()))
    _add_choice(
        definitions, document["properties"], "penalty", [PenaltyConfig, *PENALTIES.entries().values()]
    )
    _add_short_forms(document["properties"])
    _complete_arms(document)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _add_choice(
    definitions: dict[str, Any], properties: dict[str, Any], key: str, sections: list[Any]
) -> None:
    """A section whose own name decides which keys it has: any of the sections that there are."""
    references = []
    for section in sections:
        inner = section.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(inner.pop("$defs", {}))
        definitions[section.__name__] = inner
        references.append({"$ref": f"#/$defs/{section.__name__}"})
    null = [{"type": "null"}] if key == "penalty" else []
    kept = {name: properties[key][name] for name in ("description", "default") if name in properties[key]}
    properties[key] = {"anyOf": [*references, *null], **kept}


def _add_short_forms(properties: dict[str, Any]) -> None:
    """Contrasts may be given as pairs or as the name of a reference arm."""
    section = {
        key: properties["contrasts"].pop(key) for key in ("$ref", "allOf") if key in properties["contrasts"]
    }
    pair = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}
    properties["contrasts"]["anyOf"] = [
        section,
        {"type": "array", "items": pair},
        {"type": "string"},
        {"type": "null"},
    ]


def _complete_arms(document: dict[str, Any]) -> None:
    """Give an arm the keys of an experiment, none of which it must have."""
    definitions = document["$defs"]
    arm = definitions["ArmConfig"]
    settings = {key: value for key, value in document["properties"].items() if key not in NOT_OF_AN_ARM}
    partial = {
        f"{name} in an arm": _without_required(section)
        for name, section in definitions.items()
        if name != "ArmConfig"
    }
    arm["properties"] |= _redirected(copy.deepcopy(settings))
    ready = {
        "type": "string",
        "description": "Folder of a ready adapter: it is evaluated, nothing is trained.",
    }
    adapter = arm["properties"]["adapter"]
    kept = {name: adapter.pop(name) for name in ("description",) if name in adapter}
    arm["properties"]["adapter"] = {"anyOf": [adapter, ready], **kept}
    arm["additionalProperties"] = False
    definitions |= {name: _redirected(section) for name, section in partial.items()}


def _without_required(section: dict[str, Any]) -> dict[str, Any]:
    return {key: copy.deepcopy(value) for key, value in section.items() if key != "required"}


def _redirected(node: Any) -> Any:
    """References to sections as references to the partial ones; defaults are the experiment's, not theirs."""
    if isinstance(node, list):
        return [_redirected(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"{value} in an arm" if key == "$ref" else _redirected(value)
        for key, value in node.items()
        if key != "default"
    }
