"""Who follows a run from outside: a terminal, Prometheus, and OpenTelemetry. docs/watching.md."""
