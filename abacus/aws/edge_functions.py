"""Code of CloudFront Functions: replaced and published in one go, and left alone where it is the same already."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront.type_defs import FunctionConfigTypeDef


def replace_code(cloudfront: CloudFrontClient, name: str, code: bytes) -> bool:
    """Make `code` what the function `name` runs everywhere, within seconds. Returns whether that changed anything.

    The function must exist: infra/edge.yaml makes it. Two publishers cannot overwrite each other's half: CloudFront
    takes an update only with the tag of the version that was read."""
    live = cloudfront.get_function(Name=name, Stage="LIVE")
    if live["FunctionCode"].read() == code:
        return False
    draft = cloudfront.describe_function(Name=name, Stage="DEVELOPMENT")
    comment = draft["FunctionSummary"]["FunctionConfig"]["Comment"]
    config: FunctionConfigTypeDef = {"Comment": comment, "Runtime": "cloudfront-js-2.0"}
    cloudfront.update_function(Name=name, IfMatch=draft["ETag"], FunctionConfig=config, FunctionCode=code)
    # The answer has the new tag in a header whose name is misspelt in the API's model; read it again.
    updated = cloudfront.describe_function(Name=name, Stage="DEVELOPMENT")
    cloudfront.publish_function(Name=name, IfMatch=updated["ETag"])
    return True
