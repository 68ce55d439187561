"""Custom TFX components, one folder each: component, executor and the rule itself."""
