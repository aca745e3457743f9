from django.db import migrations


class Migration(migrations.Migration):
    """Add a nullable column to the busiest table, which the release before does not know."""

    dependencies = [("accounts", "0005_room_for_a_million")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE accounts_session ADD COLUMN next_release text NULL",
            "ALTER TABLE accounts_session DROP COLUMN next_release",
        )
    ]
