"""The only rooms that know Locust: users, shape, options, and a run from the wish to the verdict.

A locustfile needs `users.UploadUser`, `shape.StagesShape` and a call of `session.connect()`.
"""
