"""YAML -> types: one file asks one question of a server. The only rooms that know YAML and pydantic."""
