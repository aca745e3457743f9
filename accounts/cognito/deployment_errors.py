"""What can go wrong while the user pool is deployed, in sentences for the person deploying it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as aws

from accounts.cognito.errors import CognitoError

# Neither an update nor another creation gets a stack out of these.
STUCK = ("DELETE_FAILED", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE")
DELETING = (
    "aws cloudformation delete-stack --stack-name {name} (if its user pool is protected, first: "
    "aws cognito-idp update-user-pool --deletion-protection INACTIVE --user-pool-id ID)"
)


class DeploymentError(CognitoError):
    """The stack could not be deployed; the message says why, in a sentence for the person deploying."""


class RolledBackError(DeploymentError):
    """CloudFormation took its changes back; `reasons` are its own, the first failure first."""

    def __init__(self, name: str, status: str, reasons: tuple[str, ...]) -> None:
        left_over = f" Delete what is left of it before you try again: {DELETING.format(name=name)}"
        super().__init__(f"The stack {name} ended as {status}.{left_over if status in STUCK else ''}")
        self.name = name
        self.status = status
        self.reasons = reasons


@contextmanager
def explained_errors(endpoint_url: str | None) -> Iterator[None]:
    """Turn what botocore raises into a DeploymentError whose sentence says what to do."""
    try:
        yield
    except aws.NoRegionError as error:
        raise DeploymentError("No AWS region is set. Give --region, or set AWS_REGION.") from error
    except (aws.NoCredentialsError, aws.PartialCredentialsError) as error:
        raise DeploymentError(
            "No AWS credentials were found. Sign in with `aws sso login` or `aws configure`, or set AWS_PROFILE."
        ) from error
    except aws.ProfileNotFound as error:
        raise DeploymentError(f"{error}. Check AWS_PROFILE.") from error
    except (aws.ConnectionError, aws.HTTPClientError) as error:
        where = endpoint_url or "AWS"
        raise DeploymentError(f"{where} did not answer. Check the network and --endpoint-url.") from error
    except aws.ClientError as error:
        details = error.response["Error"]
        raise DeploymentError(
            f"{error.operation_name} was refused: {details['Message']} ({details['Code']})"
        ) from error
    except aws.BotoCoreError as error:
        raise DeploymentError(f"AWS could not be asked: {error}") from error
