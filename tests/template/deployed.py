"""What CloudFormation would make of the template with given parameters: SAM's own transformation of it, then conditions and
parameters settled as CloudFormation settles them. References to resources stay as they are."""

import copy

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ABSENT = {"Ref": "AWS::NoValue"}


def deployed(template, **parameters):
    """{logical id: resource}, without those whose condition does not hold."""
    # SAM takes what a deployment has uploaded, and changes what it is given.
    template = copy.deepcopy(template)
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/function.zip"
    values = {name: one["Default"] for name, one in template["Parameters"].items()} | parameters
    for name, one in template["Parameters"].items():
        if one["Type"] == "CommaDelimitedList":
            values[name] = values[name].split(",")
    conditions = template["Conditions"]
    # SAM puts values where parameters are referred to, lists where text is due, too: they are settled here instead.
    made = Translator({}, Parser()).translate(template, parameter_values={})

    def settled(value):
        if isinstance(value, list):
            return [one for one in map(settled, value) if one != ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, of)] = value.items()
            if name == "Ref" and of in values:
                return values[of]
            if name == "Condition" and isinstance(of, str):
                return settled(conditions[of])
            if name == "Fn::If":
                return settled(of[1] if settled(conditions[of[0]]) else of[2])
            if name == "Fn::Equals":
                return settled(of[0]) == settled(of[1])
            if name == "Fn::Not":
                return not settled(of[0])
            if name == "Fn::And":
                return all(map(settled, of))
            if name == "Fn::Join":
                separator, parts = settled(of)
                return separator.join(parts) if all(isinstance(part, str) for part in parts) else {name: [separator, parts]}
        kept = {name: settled(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one != ABSENT}

    there = {name: one for name, one in made["Resources"].items() if "Condition" not in one or settled(conditions[one["Condition"]])}
    return {name: {"Type": one["Type"], **settled({key: of for key, of in one.items() if key not in ("Type", "Condition")})} for name, one in there.items()}
