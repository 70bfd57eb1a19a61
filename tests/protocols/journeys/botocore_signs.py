"""Runs where botocore is installed: signs the requests that come as JSON, and says what it would send."""

import json
import sys

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

UNSIGNED = Config(s3={"payload_signing_enabled": False})


def signed(keys: dict[str, str], region: str, method: str, url: str, headers: dict[str, str]) -> dict[str, str]:
    request = AWSRequest(method, url, headers)
    request.context["client_config"] = UNSIGNED
    S3SigV4Auth(Credentials(**keys), "s3", region).add_auth(request)
    return dict(request.headers.items())


def presigned(keys: dict[str, str], region: str, method: str, url: str, headers: dict[str, str]) -> str:
    request = AWSRequest(method, url, headers)
    S3SigV4QueryAuth(Credentials(**keys), "s3", region, expires=3600).add_auth(request)
    return request.url


way = {"header": signed, "url": presigned}[sys.argv[1]]
print(json.dumps([way(*each) for each in json.load(sys.stdin)]))
