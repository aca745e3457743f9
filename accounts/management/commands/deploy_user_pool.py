"""Deploy the user pool and print the app's settings for it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.cognito.deployment_errors import DeploymentError, RolledBackError
from accounts.cognito.stack import StackEvent, UserPoolStack
from accounts.env_file import merge_env_file

TEMPLATE = Path(__file__).resolve().parent.parent.parent.parent / "deploy" / "user-pool.yaml"


class Command(BaseCommand):
    help = (
        "Create or update the CloudFormation stack of the user pool, with the AWS credentials of your environment, and "
        "print the app's settings for it. Works before the app is configured."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stack", required=True, help="name of the CloudFormation stack, new or existing")
        parser.add_argument("--site-url", help="where people reach the app, e.g. https://app.example.com")
        parser.add_argument(
            "--parameter",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a parameter of the template, e.g. --parameter Mfa=ON; may be repeated. "
            "One that is not given keeps its present value, or takes the template's default",
        )
        parser.add_argument("--template", type=Path, default=TEMPLATE, help="default: deploy/user-pool.yaml")
        parser.add_argument("--region", help="default: the region of your AWS configuration")
        parser.add_argument("--endpoint-url", help="the address of an emulator, in place of AWS")
        parser.add_argument("--env-file", type=Path, help="write the settings to this file instead of printing them")

    def handle(self, *_args: Any, **options: Any) -> None:
        parameters = dict(self._parse_parameter(text) for text in options["parameter"])
        if options["site_url"]:
            parameters["SiteUrl"] = options["site_url"].rstrip("/")
        try:
            template = options["template"].read_text()
            stack = UserPoolStack(options["stack"], region=options["region"], endpoint_url=options["endpoint_url"])
            changed = stack.deploy(template, parameters, self._show_event)
            settings = stack.settings()
        except OSError as error:
            raise CommandError(f"The template {options['template']} cannot be read: {error.strerror}.") from error
        except RolledBackError as error:
            raise CommandError("\n".join([str(error), *(f"  {reason}" for reason in error.reasons)])) from error
        except DeploymentError as error:
            raise CommandError(str(error)) from error
        self._say(f"{options['stack']} is {'deployed' if changed else 'up to date: no changes'}.")
        self._hand_over(settings, options["env_file"])

    def _hand_over(self, settings: dict[str, str], env_file: Path | None) -> None:
        if env_file is None:
            self.stdout.write("\n".join(f"{name}={value}" for name, value in settings.items()))
            return
        merge_env_file(env_file, settings)
        self._say(f"Wrote {', '.join(settings)} to {env_file}.")

    def _show_event(self, event: StackEvent) -> None:
        reason = f"  {event.reason}" if event.explains_failure else ""
        self._say(f"  {event.at:%H:%M:%S}  {event.status:<28} {event.resource}{reason}")

    def _say(self, text: str) -> None:
        """Report progress on standard error, uncoloured: standard output is for the settings alone."""
        self.stderr.write(text, style_func=str)

    @staticmethod
    def _parse_parameter(text: str) -> tuple[str, str]:
        name, separator, value = text.partition("=")
        if not separator:
            raise CommandError(f"--parameter takes NAME=VALUE, not {text!r}.")
        return name, value
