"""A locustfile with a login, for `--web-login`: uploads as in locustfiles/upload.py, and one who may come in."""

import os
import secrets
from typing import Any

from flask import redirect, request, session, url_for
from flask_login import UserMixin, login_user
from locust import events

from upswarm.swarm.session import connect
from upswarm.swarm.shape import StagesShape
from upswarm.swarm.users import UploadUser

__all__ = ["StagesShape", "UploadUser"]

NAME, PASSWORD = "ada", os.environ["LOGIN_PASSWORD"]

connect()


class Guest(UserMixin):  # type: ignore[misc]
    """Whoever is logged in."""

    id = NAME


@events.init.add_listener
def let_in(environment: Any, **_: Any) -> None:
    web_ui = environment.web_ui
    web_ui.app.secret_key = secrets.token_hex()
    web_ui.login_manager.user_loader(lambda _: Guest())
    web_ui.auth_args = {"username_password_callback": "./knock"}

    @web_ui.app.post("/knock")
    def knock() -> Any:
        if (request.form["username"], request.form["password"]) == (NAME, PASSWORD):
            login_user(Guest())
            return redirect(url_for("locust.index"))
        session["auth_error"] = "nobody is known by this name and password"
        return redirect(url_for("locust.login"))
