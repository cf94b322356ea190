from django.db import migrations

# Releases before this one let Stripe keep a card that was entered with save_card, and forgot it here. The consumer is
# told of each of their payments; it asks Stripe for the card, and saves none that was removed since.
TELL = """
INSERT INTO igny8_event_deliveries (event_id, consumer, status, attempts, next_attempt_at, last_error)
SELECT event.id, 'saved_cards', 'waiting', 0, now(), ''
FROM igny8_events event
JOIN igny8_payments payment ON payment.id::text = event.object_id AND payment.account_id = event.account_id
WHERE event.type = 'payment.succeeded' AND payment.metadata -> 'order' ->> 'save_card' = 'true'
ON CONFLICT DO NOTHING
"""
FORGET = "DELETE FROM igny8_event_deliveries WHERE consumer = 'saved_cards' AND status = 'waiting'"


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0030_guards_of_dunning"),
        ("events", "0005_lanes_and_runs"),
    ]

    operations = [migrations.RunSQL(TELL, FORGET)]
