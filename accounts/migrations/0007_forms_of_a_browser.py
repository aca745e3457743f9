import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """A new primary key, so a new table: what is in the old one has half an hour to live, and names no browser.

    Processes of the release before find no columns missing, and cannot write: they tell people that their form could
    not be kept.
    """

    dependencies = [
        ("accounts", "0006_sessions_of_an_address"),
    ]

    operations = [
        migrations.DeleteModel(name="KeptForm"),
        migrations.CreateModel(
            name="KeptForm",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("session_id", models.UUIDField(db_index=True, editable=False)),
                ("browser_digest", models.CharField(db_index=True, editable=False, max_length=64)),
                ("sealed", models.TextField(editable=False)),
                ("kept_at", models.DateTimeField(editable=False)),
                ("expires_at", models.DateTimeField(db_index=True, editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept_forms",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
