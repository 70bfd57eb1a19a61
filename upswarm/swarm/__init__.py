"""The only rooms that know Locust: users, shape, options, and the two ends of a distributed run.

A locustfile needs `users.UploadUser`, `shape.StagesShape` and a call of `session.connect()`.
"""
