"""What auth counts. No ids in labels."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

logins = Counter(
    "examhall_auth_logins", "Logins by outcome: success, refused, throttled, overloaded", ("outcome",)
)
refreshes = Counter(
    "examhall_auth_refreshes", "Refreshes by outcome: rotated, repeated, reused, over, unknown", ("outcome",)
)
hash_seconds = Histogram(
    "examhall_auth_hash_seconds",
    "Time in the hash function, without waiting",
    buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28),
)
hash_queue = Gauge("examhall_auth_hash_queue", "Passwords that wait to be hashed or are being hashed")
signing_key_age = Gauge("examhall_auth_signing_key_age_seconds", "Since the active key began to sign")
revocations_written = Counter("examhall_auth_revocations", "Revocations written, by code", ("code",))
