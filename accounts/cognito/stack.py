"""The CloudFormation stack of a user pool: deploys the template and reads the app's settings back from it.

The same calls serve AWS and an emulator at `endpoint_url`. They need AWS credentials of someone who may deploy; the app
itself has none and never imports this module.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from accounts.cognito.deployment_errors import DeploymentError, RolledBackError, explained_errors

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import CreateChangeSetInputTypeDef, ParameterTypeDef, StackTypeDef
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

# What each output of the template is called among the app's settings.
SETTING_OF_OUTPUT = {
    "SiteUrl": "SITE_URL",
    "UserPoolId": "COGNITO_USER_POOL_ID",
    "ClientId": "COGNITO_CLIENT_ID",
    "Domain": "COGNITO_DOMAIN",
    "Scopes": "COGNITO_SCOPES",
    "StaffGroups": "COGNITO_STAFF_GROUPS",
    "IdentityPoolId": "COGNITO_IDENTITY_POOL_ID",
}
SECONDS_OF_UNIT = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
FINISHED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
FIRST_POLL_SECONDS = 0.1
SLOWEST_POLL_SECONDS = 3.0
# A custom domain alone may take a quarter of an hour.
DEPLOYMENT_SECONDS = 3600
AWS_CALLS = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One step of one resource."""

    at: datetime
    resource: str
    resource_type: str
    status: str
    reason: str

    @property
    def explains_failure(self) -> bool:
        """Tell whether this is a failure of its own, not the cancelling of what ran beside it."""
        return self.status.endswith("_FAILED") and "cancelled" not in self.reason.lower()


@dataclass(slots=True)
class UserPoolStack:
    """One CloudFormation stack made from the user-pool template."""

    name: str
    region: str | None = None
    endpoint_url: str | None = None
    session: boto3.Session | None = None
    _cloudformation: CloudFormationClient = field(init=False, repr=False)
    _cognito: CognitoIdentityProviderClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        with explained_errors(self.endpoint_url):
            session = self.session or boto3.Session(region_name=self.region)
            self._cloudformation = session.client("cloudformation", endpoint_url=self.endpoint_url, config=AWS_CALLS)
            self._cognito = session.client("cognito-idp", endpoint_url=self.endpoint_url, config=AWS_CALLS)

    def deploy(self, template: str, parameters: Mapping[str, str], on_event: Callable[[StackEvent], None]) -> bool:
        """Create or update the stack and wait; return False if there was nothing to change.

        Parameters not given keep the value the stack has, or else take the template's default.
        """
        with explained_errors(self.endpoint_url):
            change_set = self._prepare(template, parameters)
            if change_set is None:
                return False
            token = uuid.uuid4().hex
            stack = self._cloudformation.describe_change_set(ChangeSetName=change_set)["StackId"]
            self._cloudformation.execute_change_set(ChangeSetName=change_set, ClientRequestToken=token)
            self._follow(stack, token, on_event)
            return True

    def settings(self) -> dict[str, str]:
        """Return the app's settings by variable name. The client secret is among them: never log the answer."""
        with explained_errors(self.endpoint_url):
            stack = self._describe(self.name)
            if stack is None:
                raise DeploymentError(f"There is no stack {self.name} in this account and region.")
            outputs = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
            settings = {name: outputs[key] for key, name in SETTING_OF_OUTPUT.items() if key in outputs}
            client = self._cognito.describe_user_pool_client(
                UserPoolId=outputs["UserPoolId"], ClientId=outputs["ClientId"]
            )["UserPoolClient"]
            settings["COGNITO_CLIENT_SECRET"] = client["ClientSecret"]
            seconds = SECONDS_OF_UNIT[client["TokenValidityUnits"]["RefreshToken"]]
            settings["COGNITO_REFRESH_TOKEN_SECONDS"] = str(int(client["RefreshTokenValidity"]) * seconds)
        if self.endpoint_url:
            settings |= emulated_addresses(self.endpoint_url, outputs["UserPoolId"])
        return settings

    def _prepare(self, template: str, parameters: Mapping[str, str]) -> str | None:
        """Make a change set; return its ARN, or None if it is empty."""
        stack = self._describe(self.name)
        # A stack in review is the shell left by a change set that was never executed.
        is_new = stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS"
        request: CreateChangeSetInputTypeDef = {
            "StackName": self.name,
            "ChangeSetName": f"deploy-{uuid.uuid4().hex}",
            "TemplateBody": template,
            "Parameters": self._merge(template, parameters, None if is_new else stack),
            "Capabilities": ["CAPABILITY_IAM"],
        }
        if is_new:
            # A stack that failed to create can only be deleted, so it should not stay in the way.
            request["ChangeSetType"] = "CREATE"
            request["OnStackFailure"] = "DELETE"
        change_set = self._cloudformation.create_change_set(**request)["Id"]
        for _ in _polls():
            answer = self._cloudformation.describe_change_set(ChangeSetName=change_set)
            if answer["Status"] == "CREATE_COMPLETE":
                return change_set
            if answer["Status"] == "FAILED":
                break
        self._cloudformation.delete_change_set(ChangeSetName=change_set)
        reason = answer.get("StatusReason", "")
        # CloudFormation has no code for this; its own command-line tool reads the same two texts.
        if "didn't contain changes" in reason or "No updates are to be performed" in reason:
            return None
        raise DeploymentError(f"CloudFormation refused the template or its parameters: {reason}")

    def _merge(
        self, template: str, parameters: Mapping[str, str], stack: StackTypeDef | None
    ) -> list[ParameterTypeDef]:
        declared = self._cloudformation.get_template_summary(TemplateBody=template)["Parameters"]
        names = [item["ParameterKey"] for item in declared]
        if unknown := sorted(parameters.keys() - set(names)):
            raise DeploymentError(f"The template has no parameter {', '.join(unknown)}; it has {', '.join(names)}.")
        present = {item["ParameterKey"] for item in stack["Parameters"]} if stack else set()
        merged: list[ParameterTypeDef] = [
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ]
        kept = [name for name in names if name in present and name not in parameters]
        return merged + [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]

    def _follow(self, stack_id: str, token: str, on_event: Callable[[StackEvent], None]) -> None:
        seen: set[str] = set()
        reasons: list[str] = []
        for _ in _polls():
            # The status first: events that precede the end of the work are then sure to be read.
            stack = self._describe(stack_id)
            for key, event in self._events(stack_id, token):
                if key in seen:
                    continue
                seen.add(key)
                on_event(event)
                if event.explains_failure:
                    reasons.append(f"{event.resource} ({event.resource_type}): {event.reason}")
            status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
            if status in FINISHED:
                return
            if not status.endswith("_IN_PROGRESS"):
                raise RolledBackError(self.name, status, tuple(reasons))
        raise DeploymentError(f"The stack {self.name} was still changing after {DEPLOYMENT_SECONDS} seconds.")

    def _describe(self, name: str) -> StackTypeDef | None:
        try:
            return self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            # CloudFormation answers a plain ValidationError for a stack that does not exist.
            if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
                return None
            raise

    def _events(self, stack_id: str, token: str) -> Iterator[tuple[str, StackEvent]]:
        """Yield the events of one execution, oldest first."""
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        newest_first = (event for page in pages for event in page["StackEvents"])
        found = list(takewhile(lambda event: event.get("ClientRequestToken") == token, newest_first))
        for event in reversed(found):
            yield (
                event["EventId"],
                StackEvent(
                    at=event["Timestamp"],
                    resource=event.get("LogicalResourceId", ""),
                    resource_type=event.get("ResourceType", ""),
                    status=event.get("ResourceStatus", ""),
                    reason=event.get("ResourceStatusReason", ""),
                ),
            )


def emulated_addresses(endpoint_url: str, user_pool_id: str) -> dict[str, str]:
    """Return the settings of an emulator, which serves the API, the pages and the keys at one address."""
    base = endpoint_url.rstrip("/")
    return {
        "COGNITO_DOMAIN": base,
        "COGNITO_ENDPOINT_URL": base,
        "COGNITO_JWKS_URL": f"{base}/{user_pool_id}/.well-known/jwks.json",
    }


def _polls() -> Iterator[None]:
    """Yield now and then, ever more slowly, until the deployment has had its time."""
    pause = FIRST_POLL_SECONDS
    deadline = time.monotonic() + DEPLOYMENT_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(pause)
        pause = min(pause * 1.5, SLOWEST_POLL_SECONDS)
