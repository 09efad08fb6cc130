"""Pure rules: one file per noun, no framework, no clock, no network."""
