from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_room_for_a_million"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="session",
            name="accounts_session_ip",
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["ip_address", "last_seen_at", "public_id"], name="accounts_session_ip"),
        ),
    ]
