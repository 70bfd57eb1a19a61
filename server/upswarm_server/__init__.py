"""upswarm's reference upload server: Falcon resources over a store of bytes and a catalog of records."""
